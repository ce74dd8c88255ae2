"""Sum up what was measured: metrics/, plots/ and REPORT.md, which Git keeps."""

import argparse
import gc
import multiprocessing
import shutil
import sys
from pathlib import Path

sys.path.insert(0, "src")  # the code beside this script, whatever else is installed

from remnist.files import keep_only, read_params, replace_content, write_json, write_text
from remnist.plan import claims, published
from remnist.plan import entries as plan
from remnist.report import figures, gallery, page, tables, verdicts
from remnist.runtime import pool
from remnist.runtime.stage import stage_main


def main() -> None:
    """Read the plan, the evaluations and the learning curves; write the results."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    printed, claimed = published.check(read_params("published")), claims.check(read_params("claims"))
    entries, evaluations, dvclive = plan.read(Path("plan.json")), Path("evaluations"), Path("dvclive")
    results = tables.load(entries, evaluations, dvclive)
    images = gallery.read_images(Path("data/images.safetensors"), results)
    keep_only(evaluations, [f"{variant}.json" for variant in entries])
    keep_only(dvclive, list(entries))
    summary, plots, unfinished = tables.summary(results), Path("plots"), Path("plots.tmp")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    for name, table in tables.plot_data(results).items():
        table.to_csv(unfinished / f"{name}.csv", index=False, lineterminator="\n")
    gc.freeze()  # statsmodels looks for garbage at each correction, through everything that was loaded
    with pool.workers(multiprocessing.get_context(), 1) as other:
        drawn = other.submit(figures.draw, results, printed, unfinished)
        judged = verdicts.judge(results, claimed, printed)
        text = page.render(results, summary, printed, judged)
        figures.draw_claims(judged, unfinished)
        figures.draw_gallery(gallery.rank(results), images, unfinished)
        drawn.result()

    replace_content(plots, unfinished)
    write_json(Path("metrics/summary.json"), summary)
    write_json(Path("metrics/claims.json"), verdicts.metrics(judged))
    write_json(Path("metrics/per_digit.json"), tables.per_digit(results))
    write_json(Path("metrics/ensembles.json"), tables.ensembles(results))
    write_text(Path("REPORT.md"), text)


if __name__ == "__main__":
    with stage_main():
        main()
