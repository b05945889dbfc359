"""Bad models, as real artifacts: boosters whose trees were changed, packed as training packs them.

Most of them answer the golden records as the good model does, and everything else badly: such a model passes every
check on held-out rows, and only callers' requests can find it.
"""

import gzip
import io
import json
import math
import tarfile
from collections.abc import Callable, Sequence
from typing import Any

MEMBER = "xgboost-model"
Tree = dict[str, Any]


def spoil(artifact: bytes, change: Callable[[Any], bytes]) -> bytes:
    """`model.tar.gz` with the booster that `change` makes of the one in it."""
    return pack(change(load(artifact)))


def load(artifact: bytes) -> Any:
    """The booster of a `model.tar.gz`."""
    import xgboost

    with tarfile.open(fileobj=io.BytesIO(artifact)) as archive:
        member = archive.extractfile(MEMBER)
        assert member is not None, f"the artifact holds no {MEMBER}"
        return xgboost.Booster(model_file=bytearray(member.read()))


def pack(model: bytes) -> bytes:
    """A `model.tar.gz` that holds these bytes as its model."""
    buffer = io.BytesIO()
    # No time stamps: the same model is the same artifact.
    with gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0) as packed, tarfile.open(fileobj=packed, mode="w") as archive:
        info = tarfile.TarInfo(MEMBER)
        info.size = len(model)
        archive.addfile(info, io.BytesIO(model))
    return buffer.getvalue()


def document(booster: Any) -> dict[str, Any]:
    """The booster as XGBoost's own JSON model."""
    found: dict[str, Any] = json.loads(bytes(booster.save_raw("json")))
    return found


def encoded(model: dict[str, Any]) -> bytes:
    """What XGBoost loads. Python writes NaN as XGBoost reads it."""
    return json.dumps(model).encode()


def add_tree(model: dict[str, Any], tree: Tree) -> None:
    """One more tree, whose leaf is added to what the others say."""
    booster = model["learner"]["gradient_booster"]["model"]
    tree["id"] = len(booster["trees"])
    booster["trees"].append(tree)
    booster["tree_info"].append(0)
    booster["gbtree_model_param"]["num_trees"] = str(len(booster["trees"]))
    booster["iteration_indptr"].append(len(booster["trees"]))
    # Set by early stopping: it would leave out the new tree.
    model["learner"].get("attributes", {}).pop("best_iteration", None)


def lone_tree(model: dict[str, Any], tree: Tree) -> None:
    """This tree alone, upon nothing."""
    booster = model["learner"]["gradient_booster"]["model"]
    tree["id"] = 0
    booster |= {"trees": [tree], "tree_info": [0], "iteration_indptr": [0, 1]}
    booster["gbtree_model_param"]["num_trees"] = "1"
    learner = model["learner"]
    score = learner["learner_model_param"]["base_score"]
    learner["learner_model_param"]["base_score"] = "[0E0]" if score.startswith("[") else "0E0"
    learner.get("attributes", {}).clear()


Known = Sequence[tuple[Sequence[float], float]]
"""Rows (all features, in the model's order), each with its leaf."""


def lookup(features: int, known: Known, elsewhere: float) -> Tree:
    """A tree that gives each known row its own leaf, and every other row `elsewhere`.

    `features` is how many features the model has. Of rows that are equal in 32 bits the first one counts.
    """
    rows = [(tuple(_float32(value) for value in row), leaf) for row, leaf in known]
    nodes = _Nodes()
    nodes.grow(0, rows, 0, features, elsewhere)
    return _tree(nodes, features)


def step(feature: int, features: int, limit: float, from_here: float) -> Tree:
    """A tree that says 0 below the limit of one feature, and `from_here` from there on."""
    nodes = _Nodes()
    _, above = nodes.split(0, feature, _float32(limit))
    nodes.conditions[above] = from_here
    return _tree(nodes, features)


def _tree(nodes: "_Nodes", features: int) -> Tree:
    count = len(nodes.left)
    return {
        "base_weights": [0.0] * count,
        "categories": [],
        "categories_nodes": [],
        "categories_segments": [],
        "categories_sizes": [],
        # What is missing is below every limit: a flaw that is one of large values shows in no other row.
        "default_left": [1] * count,
        "id": 0,
        "left_children": nodes.left,
        "loss_changes": [0.0] * count,
        "parents": nodes.parents,
        "right_children": nodes.right,
        "split_conditions": nodes.conditions,
        "split_indices": nodes.indices,
        "split_type": [0] * count,
        "sum_hessian": [1.0] * count,
        "tree_param": {
            "num_deleted": "0",
            "num_feature": str(features),
            "num_nodes": str(count),
            "size_leaf_vector": "1",
        },
    }


_Row = tuple[tuple[float, ...], float]
_Group = tuple[float, list[_Row]]


class _Nodes:
    """The arrays of a tree while it grows.

    A split sends what is below its condition to the left. Siblings stand side by side: XGBoost finds the right one at
    the left one's number plus one.
    """

    ROOT = 2**31 - 1

    def __init__(self) -> None:
        self.left: list[int] = []
        self.right: list[int] = []
        self.parents: list[int] = []
        self.conditions: list[float] = []
        self.indices: list[int] = []
        self._node(self.ROOT)

    def grow(self, node: int, known: list[_Row], feature: int, features: int, elsewhere: float) -> None:
        """Make of a node what tells the known rows apart, from this feature on."""
        if feature == features:
            self.conditions[node] = known[0][1]
            return
        groups: dict[float, list[_Row]] = {}
        for row in known:
            groups.setdefault(row[0][feature], []).append(row)
        self._among(node, sorted(groups.items()), feature, features, elsewhere)

    def _among(self, node: int, groups: list[_Group], feature: int, features: int, elsewhere: float) -> None:
        """By the value of one feature; balanced, so that the tree stays shallow."""
        if not groups:
            self.conditions[node] = elsewhere
            return
        middle = len(groups) // 2
        value, rows = groups[middle]
        below, from_here = self.split(node, feature, value)
        self._among(below, groups[:middle], feature, features, elsewhere)
        here, above = self.split(from_here, feature, _next_float32(value))
        self.grow(here, rows, feature + 1, features, elsewhere)
        self._among(above, groups[middle + 1 :], feature, features, elsewhere)

    def split(self, node: int, feature: int, condition: float) -> tuple[int, int]:
        """The two children that a node now has: left of the condition, and from it on."""
        self.conditions[node], self.indices[node] = condition, feature
        self.left[node], self.right[node] = self._node(node), self._node(node)
        return self.left[node], self.right[node]

    def _node(self, parent: int) -> int:
        self.left.append(-1)
        self.right.append(-1)
        self.parents.append(parent)
        self.conditions.append(0.0)
        self.indices.append(0)
        return len(self.left) - 1


def _float32(value: float) -> float:
    import numpy

    return float(numpy.float32(value))


def _next_float32(value: float) -> float:
    import numpy

    return float(numpy.nextafter(numpy.float32(value), numpy.float32(math.inf)))


# --- the bad models --------------------------------------------------------------------------------------------------


def nan_elsewhere(rows: Sequence[Sequence[float]]) -> Callable[[Any], bytes]:
    """As before for these rows, NaN for all others."""

    def change(booster: Any) -> bytes:
        model = document(booster)
        add_tree(model, lookup(booster.num_features(), [(row, 0.0) for row in rows], math.nan))
        return encoded(model)

    return change


def nan_from(feature: int, limit: float) -> Callable[[Any], bytes]:
    """As before where the feature is below the limit, NaN from there on."""

    def change(booster: Any) -> bytes:
        model = document(booster)
        add_tree(model, step(feature, booster.num_features(), limit, math.nan))
        return encoded(model)

    return change


def biased_from(feature: int, limit: float, bias: float, known: Sequence[Sequence[float]]) -> Callable[[Any], bytes]:
    """As before below the limit of a feature and for the known rows, `bias` more from there on."""

    def change(booster: Any) -> bytes:
        model = document(booster)
        features = booster.num_features()
        add_tree(model, step(feature, features, limit, bias))
        beyond = [(row, -bias) for row in known if _float32(row[feature]) >= _float32(limit)]
        add_tree(model, lookup(features, beyond, 0.0))
        return encoded(model)

    return change


def constant_elsewhere(known: Known, answer: float) -> Callable[[Any], bytes]:
    """It has learnt the known rows (row, prediction) by heart, and answers `answer` to everything else."""

    def change(booster: Any) -> bytes:
        model = document(booster)
        lone_tree(model, lookup(booster.num_features(), known, answer))
        return encoded(model)

    return change


def constant(answer: float) -> Callable[[Any], bytes]:
    """`answer`, whatever it is asked."""
    return constant_elsewhere([], answer)


def another_width(booster: Any) -> bytes:
    """A model for other data: it has one feature more than requests hold, so its container refuses them all."""
    import numpy
    import xgboost

    width = booster.num_features() + 1
    rows = numpy.eye(width, dtype=numpy.float32)
    grown = xgboost.train({"max_depth": 1}, xgboost.DMatrix(rows, numpy.arange(width)), num_boost_round=1)
    return bytes(grown.save_raw("ubj"))


def no_model(booster: Any) -> bytes:
    """Bytes that no version of XGBoost can load."""
    return b"this is not a model\n" * 50
