"""Judge the claims and sum up the measurements: metrics/, plots/ and REPORT.md, which Git keeps."""

import argparse
import multiprocessing
import shutil
import sys
from pathlib import Path

sys.path.insert(0, "src")  # this checkout's code, whatever else is installed

from remnist.runtime.isolation import isolate

isolate()  # before matplotlib reads what the user has set

from remnist.files import keep_only, replace_content, write_json, write_text
from remnist.plan import claims, entries
from remnist.report import document, earlier, figures, gallery, ledger, questions, summaries, tables, verdicts
from remnist.runtime import pool
from remnist.runtime.stage import Inputs, stage_main

PLAN, EVALUATIONS, DVCLIVE, SECONDS = Path("plan.json"), Path("evaluations"), Path("dvclive"), Path("docs/seconds.csv")


def remove_leftovers() -> None:
    """Remove from the stage's inputs what removed variants left behind."""
    plan = entries.read(PLAN)
    for folder, names in ((EVALUATIONS, [f"{variant}.json" for variant in plan]), (DVCLIVE, list(plan))):
        if folder.is_dir():
            keep_only(folder, names)


def main(inputs: Inputs) -> None:
    """Read the plan, the claims, the evaluations and the learning curves; write the results."""
    claimed = claims.read(Path("claims.yaml"))
    results = tables.load(entries.read(PLAN), EVALUATIONS, DVCLIVE, SECONDS)
    images = gallery.read_images(Path("data/images.safetensors"), results)
    grouped, asked, ranking = (
        questions.group(results, claimed), questions.asked(results, claimed), gallery.rank(results)
    )  # fmt: skip
    summary, plots, unfinished = summaries.summary(results), Path("plots"), Path("plots.tmp")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    for name, table in summaries.plot_data(results).items():
        table.to_csv(unfinished / f"{name}.csv", index=False, lineterminator="\n")
    with pool.workers(multiprocessing.get_context(), len(figures.OF_RESULTS)) as others:
        drawn = [
            others.submit(figures.draw, name, unfinished, asked if name in figures.BY_QUESTION else grouped, results)
            for name in figures.OF_RESULTS
        ]
        judged = verdicts.judge(results, claimed)
        before = earlier.judge(results, claimed, earlier.RUNS)
        text = document.render(results, summary, claimed, grouped, judged, before, ranking)
        figures.draw("claims", unfinished, judged)
        figures.draw("gallery", unfinished, ranking, images)
        for each in drawn:
            each.result()

    inputs.check()
    replace_content(plots, unfinished)
    for name, content in {
        "accuracy": {variant: row["accuracy"] for variant, row in summary.items()},
        "verdicts": {each.id: each.outcome for each in judged},
        "summary": summary,
        "per_digit": summaries.per_digit(results),
        "ensembles": summaries.ensembles(results),
        "claims": verdicts.metrics(judged),
    }.items():
        write_json(Path("metrics", f"{name}.json"), content)
    write_text(Path("metrics/ledger.jsonl"), ledger.lines(results, claimed, judged))
    write_text(Path("REPORT.md"), text)


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__).parse_args()
    with stage_main("report", prepare=remove_leftovers) as inputs:
        main(inputs)
