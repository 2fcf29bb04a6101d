"""How the registry's page looks: light and dark, on a desk and on a phone; nothing is fetched."""

HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Model registry</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">
<style>
:root { color-scheme: light dark; --ink: #1b1e24; --soft: #5c6470; --page: #f6f7f9; --card: #fff; --line: #dde1e7;
  --mark: #1f5fbf; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ee; --soft: #9aa3b0; --page: #14171c; --card: #1c2027;
  --line: #323945; --mark: #8ab4f8; --bad: #ff8a80; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
header, main { max-width: 68rem; margin: 0 auto; padding: 1rem; }
h1 { margin: .5rem 0 0; font-size: 1.7rem; } h2 { margin: 0; font-size: 1.25rem; }
header p, section > p, small { color: var(--soft); } section > p { margin: .2rem 0 .8rem; }
a { color: var(--mark); margin-right: .4rem; }
section { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: 1rem;
  margin-bottom: 1rem; }
details { border-top: 1px solid var(--line); padding: .5rem 0; } summary { cursor: pointer; }
.chip { font-size: .8rem; font-weight: 500; border: 1px solid var(--mark); color: var(--mark); border-radius: 1rem;
  padding: .05rem .6rem; margin-left: .3rem; white-space: nowrap; }
.bad, .chip.bad { color: var(--bad); border-color: var(--bad); }
.wide { overflow-x: auto; margin: .6rem 0; } table { border-collapse: collapse; width: 100%; font-size: .88rem; }
th, td { text-align: left; padding: .3rem .7rem .3rem 0; border-bottom: 1px solid var(--line); white-space: nowrap;
  font-variant-numeric: tabular-nums; } th { color: var(--soft); font-weight: 500; }
td:last-child { white-space: normal; min-width: 4rem; overflow-wrap: anywhere; }
pre { overflow-x: auto; background: var(--page); padding: .8rem; border-radius: .4rem; font-size: .85rem; }
</style></head><body>"""
