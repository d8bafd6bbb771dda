"""The archive's parts: container, manifest, metadata and checks, each in a module of its own."""
