"""What differs between specs, and between groups of them: functions on what `flatten` returns."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from lenetctl.specs.identity import Value

FlatSpec = Mapping[str, Value]


def differing_keys(specs: Iterable[FlatSpec]) -> list[str]:
    """Return the keys that some specs lack, or have with another value, in the order they come."""
    specs = list(specs)
    return [key for key in _all_keys(specs) if len({spec.get(key) for spec in specs}) > 1]


def common_values(specs: Iterable[FlatSpec]) -> dict[str, Value]:
    """Return the keys and values that are the same in all specs; there is at least one."""
    first, *others = specs
    common = dict(first)
    for spec in others:
        common = {key: value for key, value in common.items() if spec.get(key) == value}
    return common


def keys_between(groups: Iterable[Sequence[FlatSpec]]) -> list[str]:
    """Return the keys that differ between groups of specs, and within none of them."""
    groups = list(groups)
    common = [common_values(group) for group in groups]
    pairs = zip(groups, common, strict=True)
    within = {key for group, same in pairs for spec in group for key in spec.keys() - same.keys()}
    return [key for key in differing_keys(common) if key not in within]


def usual_values(specs: Iterable[FlatSpec]) -> dict[str, Value | None]:
    """Return by key the value that most specs have, the first in a tie; None: most lack it."""
    specs = list(specs)
    counts = {key: Counter(spec.get(key) for spec in specs) for key in _all_keys(specs)}
    return {key: count.most_common(1)[0][0] for key, count in counts.items()}


def unusual_settings(spec: FlatSpec, usual: Mapping[str, Value | None]) -> list[str]:
    """Return where `spec` is not as usual: `pool.kind=max`, or `no ema` for what it lacks."""
    keys = [key for key, value in usual.items() if spec.get(key) != value]
    return settings(spec, keys) + [f"no {short_key(key)}" for key in keys if key not in spec]


def settings(spec: FlatSpec, keys: Iterable[str]) -> list[str]:
    """Return `pool.kind=max` for each of `keys` that `spec` has."""
    return [f"{short_key(key)}={spec[key]}" for key in keys if key in spec]


def short_key(key: str) -> str:
    """Return `pool.kind` for `model.pool.kind`; keys of `data` keep their section."""
    return key.removeprefix("model.").removeprefix("training.")


def difference_text(there: FlatSpec, here: FlatSpec) -> str:
    """Return `training.epochs 1 there, 2 here`, and so on for every key that differs."""
    return ", ".join(
        f"{key} {there.get(key, 'unset')} there, {here.get(key, 'unset')} here"
        for key in sorted(differing_keys([there, here]))
    )


def _all_keys(specs: Iterable[FlatSpec]) -> list[str]:
    return list(dict.fromkeys(key for spec in specs for key in spec))
