#!/bin/sh
# The main job on the example year: record, rank, explain, select, hand over, change a rule.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
seeds="$here/seeds"
rm -rf "$here/.demo" && mkdir "$here/.demo" && cd "$here/.demo"
ln -s "$seeds" seeds
export MILEAGE_BY=evaluation-office MILEAGE_LANG="${MILEAGE_LANG:-en}"

run() {
    printf '\n\033[1m$ %s\033[0m\n' "$*" | if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then cat; else sed 's/\x1b\[[0-9]*m//g'; fi
    "$@"
}
say() { printf '\n# %s\n' "$*"; }

say "A new ledger for the plan of 2005, and the example rulebook: checked and adopted"
run mileage init --organisation 중소기업청 --opened-on 2005-02-01
run mileage rules check seeds/rulebooks/smba-2005.toml
run mileage rules test seeds/rulebooks/smba-2005.toml
run mileage rules adopt seeds/rulebooks/smba-2005.toml --on 2005-01-01

say "The example year, the people's names, and the figures published"
for part in units people proposals clubs teams contests publicity courses awards learning tasks support evaluation corrections; do
    run mileage import "seeds/example-year/$part.csv" --no-catch-up
done
run mileage directory import seeds/example-year/names.csv

run mileage rebuild --quiet

say "What it amounts to"
run mileage ranking --period 2005 --limit 10
first=$(mileage ranking --period 2005 --limit 1 --csv | sed -n 2p | cut -d, -f2)
run mileage statement "$first" --period 2005
run mileage explain "$first" --period 2005-Q4
run mileage eligible overseas-training --as-of 2005-12-31

say "The year on one screen, the ranking of units, progress of learning, the report"
run mileage overview --period 2005
run mileage competition EV-2005
run mileage learning LP-2005 --unit RO-SEOUL
run mileage report 2005 --to report-2005.html

say "What people decide, and what HR gets"
run mileage import seeds/example-year/decisions.csv
run mileage entitlement list overseas-training --cycle 2005
run mileage hr export hr --as-of 2005-12-31
run head -4 hr/hr-batch-000001.csv
run cat hr/hr-batch-000001.manifest.json

say "One rule is raised from 1 July: who gains, who loses, and why, before anything is published"
run mileage rules adopt seeds/rulebooks/smba-2005-07.toml --on 2005-06-20 --effective-from 2005-07-01
run mileage rebuild --dry-run --limit 10
run mileage rebuild --quiet
run mileage eligible overseas-training --as-of 2005-12-31
run mileage hr export hr --as-of 2005-12-31

say "The ledger, the read model and the batches are in .demo; open .demo/mileage.read.sqlite with Datasette"
