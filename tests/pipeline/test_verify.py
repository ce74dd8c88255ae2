"""What `make verify` calls different."""

from remnist.commands.verify import REFERENCE, RUNS, Outcome, Run, differ, table

HASHES = {"models/x/seed-0.safetensors": "a", "models/x/seed-1.safetensors": "b", "evaluations/x.json": "c"}


def outcome(**changes: str | None) -> Outcome:
    named = {
        name: changes.get(name.split("/")[-1].split(".")[0].replace("-", "_"), sha) for name, sha in HASHES.items()
    }
    return Outcome("AVX2", {name: sha for name, sha in named.items() if sha is not None})


def test_a_file_that_differs_or_lacks_is_named():
    run = Run("emulated", "Haswell")
    assert differ(run, outcome(), outcome()) == ""
    assert differ(run, outcome(seed_1="z"), outcome()) == "models/x/seed-1.safetensors"
    assert differ(run, outcome(x="z"), outcome()) == "evaluations/x.json"
    assert differ(run, outcome(x=None), outcome()) == "evaluations/x.json"


def test_a_seed_alone_is_compared_by_what_is_its_own():
    alone = next(run for run in RUNS if run.seeds == (1,))
    assert differ(alone, outcome(seed_0=None, x="z"), outcome()) == ""
    assert differ(alone, outcome(seed_0=None, seed_1="z"), outcome()) == "models/x/seed-1.safetensors"


def test_the_table_tells_weights_apart():
    same, other = outcome().weights(), outcome(seed_0="z").weights()
    assert same != other
    assert same == outcome(x="z").weights()
    rows = table({REFERENCE: outcome(), Run("emulated", "Haswell"): outcome(seed_0="z")}).splitlines()
    assert f"`{same}`" in rows[2]
    assert rows[3] == f"| Haswell | AVX2 | emulated | `{other}` |"
