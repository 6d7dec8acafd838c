"""Trained models as bundles, their versions and aliases, and the runs that made them."""

from onward.naming import Reference, parse_reference
from onward.registry.bundle import read_manifest, verify_bundle, write_bundle
from onward.registry.libraries import library_versions
from onward.registry.manifest import BundleFacts, BundleFile, FeatureSchema, Manifest
from onward.registry.protocol import ModelRegistry, PostingRegistry, TransactionalRegistry
from onward.registry.runs import RunStore
from onward.registry.runvalues import Run, RunComparison, RunRecord, RunVerdict
from onward.registry.store import EmbeddedRegistry
from onward.registry.values import AliasEvent, ModelSummary, PlacedBundle, Posting, Standing, Version

__all__ = [
    "AliasEvent",
    "BundleFacts",
    "BundleFile",
    "EmbeddedRegistry",
    "FeatureSchema",
    "Manifest",
    "ModelRegistry",
    "ModelSummary",
    "PlacedBundle",
    "Posting",
    "PostingRegistry",
    "Reference",
    "Run",
    "RunComparison",
    "RunRecord",
    "RunStore",
    "RunVerdict",
    "Standing",
    "TransactionalRegistry",
    "Version",
    "library_versions",
    "parse_reference",
    "read_manifest",
    "verify_bundle",
    "write_bundle",
]
