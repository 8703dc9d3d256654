"""The network that the benchmark compares with; the only importer of speechbrain."""

import time
from collections.abc import Callable, Sequence
from statistics import median

import torch

INSTALL_HINT = (
    "The comparison needs speechbrain (1.1.2 is known to work): 'pip install speechbrain', or "
    "leave the comparison out with --skip-ecapa."
)


Network = Callable[[torch.Tensor], torch.Tensor]  # windows (batch, n_samples) → (batch, n)


def load_ecapa() -> Network:
    """Log-mel and ECAPA-TDNN (Desplanques et al., 2020, arXiv:2005.07143) as speechbrain's
    VoxLingua107 recipe sets them up, 21 million parameters, with random weights.

    Returns
    -------
    A function from windows (batch, n_samples) at 16 kHz to log-probabilities (batch, 107).

    Raises
    ------
    ImportError
        If speechbrain, or something it needs, is not installed.
    """
    from speechbrain.lobes.features import Fbank
    from speechbrain.lobes.models.ECAPA_TDNN import ECAPA_TDNN
    from speechbrain.lobes.models.Xvector import Classifier
    from speechbrain.processing.features import InputNormalization

    features = Fbank(n_mels=60, left_frames=0, right_frames=0)
    normalise = InputNormalization(norm_type="sentence", std_norm=False)
    encoder = ECAPA_TDNN(
        input_size=60,
        channels=[1024, 1024, 1024, 1024, 3072],
        kernel_sizes=[5, 3, 3, 3, 1],
        dilations=[1, 2, 3, 4, 1],
        attention_channels=128,
        lin_neurons=256,
    ).eval()
    classifier = Classifier(
        input_shape=(None, None, 256),
        activation=torch.nn.LeakyReLU,
        lin_blocks=1,
        lin_neurons=512,
        out_neurons=107,
    ).eval()

    @torch.inference_mode()
    def predict(waveform: torch.Tensor) -> torch.Tensor:
        log_mel = normalise(features(waveform), torch.ones(len(waveform)))
        return classifier(encoder(log_mel)).squeeze(1)

    return predict


def compare(ours: Network, theirs: Network, batches: Sequence[torch.Tensor], n_pairs: int) -> dict:
    """Time both networks on the same batches of windows (batch, n_samples).

    The two take turns, each pair in the other order than the one before. ``ratio`` is the
    median over the pairs of their time / our time.
    """
    networks = {"ours": ours, "theirs": theirs}
    for network in networks.values():  # warm up
        network(batches[0])
    pairs = []
    for i in range(n_pairs):
        pair = {}
        for name in sorted(networks, reverse=i % 2 == 1):
            start_s = time.perf_counter()
            for batch in batches:
                networks[name](batch)
            pair[name] = time.perf_counter() - start_s
        pairs.append(pair)
    ratios = [pair["theirs"] / pair["ours"] for pair in pairs]
    return {
        "n_windows": sum(map(len, batches)),
        "n_pairs": n_pairs,
        "langid_s": median(pair["ours"] for pair in pairs),
        "ecapa_s": median(pair["theirs"] for pair in pairs),
        "ratio": median(ratios),
        "min_ratio": min(ratios),
        "max_ratio": max(ratios),
    }
