"""VoxForge: from its server to jobs for the builder."""
