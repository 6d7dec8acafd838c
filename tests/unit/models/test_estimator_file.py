"""Estimators on disk: one spelling, and nothing but what the model needs."""

import io
import json
import os
import zipfile

import numpy as np
import pytest
import skops.io
from sklearn.preprocessing import FunctionTransformer

from onward.errors import BundleError
from onward.models import (
    ExtraTreesModel,
    HistGradientBoostingModel,
    LogisticModel,
    MLPModel,
    RandomForestModel,
    estimator_file,
)
from onward.models.estimator_file import read_estimator, write_estimator
from onward.models.state_file import file_hashes, read_state, write_state
from onward.testing.models import example_rows

SMALL = [
    ExtraTreesModel(n_trees=3),
    HistGradientBoostingModel(n_rounds=2),
    LogisticModel(max_passes=5),
    MLPModel(n_epochs=2),
    RandomForestModel(n_trees=3),
]


@pytest.fixture(params=SMALL, ids=lambda model: model.name)
def saved(request, tmp_path):
    request.param.fit(*example_rows(200)).save(tmp_path)
    return type(request.param), tmp_path


def reseal(directory):
    """Make the hashes fit the files, as someone who tampers with a bundle would."""
    payload = read_state(directory)
    payload["files"] = file_hashes(directory, ("model.skops",))
    write_state(directory, {k: v for k, v in payload.items() if k not in ("digest", "format")})


def change_schema(directory, change):
    """Rewrite the schema of a skops file and make the hashes fit."""
    path = directory / "model.skops"
    with zipfile.ZipFile(path) as source:
        parts = {name: source.read(name) for name in source.namelist()}
    schema = json.loads(parts["schema.json"])
    change(schema)
    parts["schema.json"] = json.dumps(schema).encode()
    with zipfile.ZipFile(path, "w") as target:
        for name, content in parts.items():
            target.writestr(name, content)
    reseal(directory)


def run_a_command(schema):
    """What an attacker would add: a node that calls something."""
    schema["content"]["content"]["extra"] = {
        "__class__": "system",
        "__module__": "posix",
        "__loader__": "FunctionNode",
        "content": {"module_path": "posix", "function": "system"},
    }


def build_another_type(schema):
    schema["content"]["content"]["extra"] = {
        "__class__": "Popen",
        "__module__": "subprocess",
        "__loader__": "ObjectNode",
    }


def build_a_trusted_type(schema):
    """A type that skops trusts by itself, and this model has no use for."""
    schema["content"]["content"]["extra"] = {
        "__class__": "FunctionTransformer",
        "__module__": "sklearn.preprocessing._function_transformer",
        "__loader__": "ObjectNode",
    }


def name_a_type_where_a_value_belongs(schema):
    schema["content"]["key_types"]["content"][0]["__module__"] = "os"


def hide_the_loader(schema):
    schema["content"]["content"]["extra"] = {"__class__": "Popen", "__module__": "subprocess"}


@pytest.mark.parametrize(
    "change",
    [
        run_a_command,
        build_another_type,
        build_a_trusted_type,
        name_a_type_where_a_value_belongs,
        hide_the_loader,
    ],
)
def test_a_tampered_file_with_fitting_hashes_is_refused(saved, change):
    model, directory = saved
    change_schema(directory, change)
    with pytest.raises(BundleError, match=r"no use for.*Do not trust"):
        model.load(directory)


def test_older_protocols_whose_nodes_nobody_looked_at_are_refused(saved):
    model, directory = saved
    change_schema(directory, lambda schema: schema.update(protocol=0))
    with pytest.raises(BundleError, match="protocol 0"):
        model.load(directory)


def test_another_estimator_in_place_of_the_right_one_is_refused(tmp_path):
    for name, model in {"a": RandomForestModel(n_trees=2), "b": MLPModel(n_epochs=1)}.items():
        model.fit(*example_rows(200)).save(tmp_path / name)
    (tmp_path / "a/model.skops").write_bytes((tmp_path / "b/model.skops").read_bytes())
    reseal(tmp_path / "a")
    with pytest.raises(BundleError, match="no use for"):
        RandomForestModel.load(tmp_path / "a")


def test_a_part_in_place_of_the_estimator_is_refused(tmp_path):
    model = RandomForestModel(n_trees=2).fit(*example_rows(200))
    model.save(tmp_path)
    write_estimator(tmp_path / "model.skops", model.estimator_.estimators_[0])
    reseal(tmp_path)
    with pytest.raises(BundleError, match=r"a sklearn\.tree\._classes\.DecisionTreeClassifier"):
        RandomForestModel.load(tmp_path)


@pytest.mark.parametrize("content", [b"", b"nothing like a zip", b"PK\x03\x04 half a zip"])
def test_files_that_are_no_skops_are_damaged(tmp_path, content):
    path = tmp_path / "model.skops"
    path.write_bytes(content)
    with pytest.raises(BundleError, match="damaged"):
        read_estimator(path, frozenset())


def test_a_file_that_unpacks_to_too_much_is_refused(saved, monkeypatch):
    model, directory = saved
    monkeypatch.setattr(estimator_file, "SIZE_LIMIT", 1_000)
    with pytest.raises(BundleError, match="bytes unpacked"):
        model.load(directory)


def test_the_bytes_hold_neither_the_hour_nor_addresses(tmp_path):
    estimator = RandomForestModel(n_trees=3).fit(*example_rows(200)).estimator_
    write_estimator(tmp_path / "a", estimator)
    os.utime(tmp_path / "a", (0, 0))
    write_estimator(
        tmp_path / "b", skops.io.loads(skops.io.dumps(estimator), trusted=["sklearn.tree._tree.Tree"])
    )
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    with zipfile.ZipFile(tmp_path / "a") as file:
        assert {entry.date_time for entry in file.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert b"__id__" not in file.read("schema.json")


def test_an_estimator_that_carries_a_function_cannot_be_read_back(tmp_path):
    write_estimator(tmp_path / "x", FunctionTransformer(np.log))
    with pytest.raises(BundleError, match="no use for"):
        read_estimator(
            tmp_path / "x", frozenset({"sklearn.preprocessing._function_transformer.FunctionTransformer"})
        )


def rewrite_trees(directory, field, value, column):
    """Change a field of the first tree's root, keep everything else in order."""
    path = directory / "model.skops"
    with zipfile.ZipFile(path) as source:
        parts = {name: source.read(name) for name in source.namelist()}
    for name, content in parts.items():
        if name.endswith(".npy"):
            nodes = np.load(io.BytesIO(content))
            if nodes.dtype.names and column in nodes.dtype.names and len(nodes) > 1:
                nodes[field][0] = value
                target = io.BytesIO()
                np.save(target, nodes)
                parts[name] = target.getvalue()
                break
    else:
        raise AssertionError("no tree found")
    with zipfile.ZipFile(path, "w") as target:
        for name, content in parts.items():
            target.writestr(name, content)
    reseal(directory)


@pytest.mark.parametrize(
    ("model", "column", "field", "value"),
    [
        (RandomForestModel(n_trees=3), "left_child", "left_child", 0),  # round in circles
        (RandomForestModel(n_trees=3), "left_child", "right_child", 10_000),
        (RandomForestModel(n_trees=3), "left_child", "feature", 5),
        (RandomForestModel(n_trees=3), "left_child", "feature", -7),
        (ExtraTreesModel(n_trees=3), "left_child", "left_child", -5),
        (HistGradientBoostingModel(n_rounds=2), "feature_idx", "feature_idx", 4),
        (HistGradientBoostingModel(n_rounds=2), "feature_idx", "left", 0),
        (HistGradientBoostingModel(n_rounds=2), "feature_idx", "right", 10_000),
        (HistGradientBoostingModel(n_rounds=2), "feature_idx", "is_categorical", 1),
    ],
)
def test_trees_that_lead_outside_themselves_are_refused(tmp_path, model, column, field, value):
    type(model)(**model.get_params()).fit(*example_rows(200)).save(tmp_path)
    rewrite_trees(tmp_path, field, value, column)
    with pytest.raises(BundleError, match="leads outside itself"):
        type(model).load(tmp_path)
