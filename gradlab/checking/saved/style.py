"""The style sheet: two palettes, and shapes that say what the colors say.

Texts keep a contrast of 4.5 to 1 with their paper. The hues are those of gradlab's plots, by
Okabe and Ito. A report's HTML names JupyterLab's colors, which get a value here.
"""

_LIGHT = """
  --paper: #ffffff; --card: #f6f8fa; --ink: #1f2328; --faint: #57606a; --grid: #d5dae0;
  --correct: #00694d; --wrong: #b34500; --inconclusive: #7a5600;
  --band0: #dcf1e9; --band1: #f1f6ec; --band2: #fcefd3; --band3: #f9dccb;
  --hue0: #0072b2; --hue1: #b1438b; --hue2: #1f2328; --hue3: #7a6a00; --hue4: #5b3fa6;
  --jp-error-color1: #b34500; --jp-success-color0: #00694d;
"""
_DARK = """
  --paper: #111111; --card: #1b1e22; --ink: #e3e6ea; --faint: #a9b1ba; --grid: #454b52;
  --correct: #2cc79a; --wrong: #ff8a4c; --inconclusive: #f0b840;
  --band0: #16392f; --band1: #2a3327; --band2: #43361b; --band3: #4e2a1b;
  --hue0: #5fb4ea; --hue1: #e79cc9; --hue2: #e3e6ea; --hue3: #e4d24a; --hue4: #b7a2f5;
  --jp-error-color1: #ff8a4c; --jp-success-color0: #2cc79a;
"""
STYLE = f"""
:root {{ color-scheme: light dark;{_LIGHT}}}
@media (prefers-color-scheme: dark) {{ :root {{{_DARK}}} }}
* {{ box-sizing: border-box; }}
body {{ margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }}
main {{ max-width: 1080px; margin: 0 auto; padding: 1.2rem 1.2rem 2.5rem;
  overflow-wrap: anywhere; }}
h1 {{ font-size: 1.15rem; font-weight: 600; color: var(--faint); margin: 0 0 0.7rem; }}
h2 {{ font-size: 1.1rem; margin: 1.7rem 0 0.5rem; }}
header {{ background: var(--card); border-left: 6px solid currentColor; border-radius: 6px;
  padding: 0.8rem 1rem; }}
header > div {{ color: var(--ink); margin-top: 0.3rem; }}
header > div:first-child {{ color: inherit; margin-top: 0; font-size: 1.3rem; line-height: 1.35; }}
header.correct, .name.correct {{ color: var(--correct); fill: var(--correct); }}
header.wrong, .name.wrong {{ color: var(--wrong); fill: var(--wrong); }}
header.inconclusive, .name.inconclusive {{ color: var(--inconclusive); fill: var(--inconclusive); }}
footer {{ margin-top: 1.7rem; color: var(--faint); }}
pre {{ background: var(--card); border-radius: 6px; padding: 0.6rem 0.8rem; font-size: 0.95rem; }}
u {{ text-decoration-thickness: 2px; text-underline-offset: 3px; }}
.wide {{ overflow-x: auto; }}
table {{ border-collapse: collapse; font-variant-numeric: tabular-nums; }}
th, td {{ padding: 0.25rem 1.1rem 0.25rem 0; border-bottom: 1px solid var(--grid);
  vertical-align: top; overflow-wrap: normal; }}
td:nth-child(2), .narrow td {{ white-space: nowrap; }}
.narrow td:first-child {{ white-space: normal; }}
th {{ color: var(--faint); font-weight: 600; white-space: nowrap; }}
td:first-child {{ font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: 0.92em;
  min-width: 7em; overflow-wrap: anywhere; }}
ul {{ margin: 0; padding-left: 1.3rem; }}
li {{ margin-bottom: 0.4rem; }}
figure {{ margin: 0 0 0.8rem; }}
figcaption {{ color: var(--faint); font-size: 0.92rem; max-width: 62rem; }}
svg {{ display: block; width: 100%; min-width: 760px; height: auto; }}
svg text {{ fill: var(--ink); font-size: 14px; }}
svg .small {{ fill: var(--faint); font-size: 12.5px; }}
svg .name {{ font-weight: 600; }}
svg .mono {{ font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: 13px; }}
svg .band0 {{ fill: var(--band0); }} svg .band1 {{ fill: var(--band1); }}
svg .band2 {{ fill: var(--band2); }} svg .band3 {{ fill: var(--band3); }}
svg .grid {{ stroke: var(--grid); stroke-width: 1; }}
svg .frame {{ fill: none; stroke: var(--grid); }}
svg .dot {{ fill: var(--hue0); fill-opacity: 0.75; }}
svg .zero {{ fill: none; stroke: var(--faint); }}
svg .ring {{ fill: none; stroke: var(--inconclusive); stroke-width: 1.6; }}
svg .cross {{ fill: none; stroke: var(--wrong); stroke-width: 2; }}
svg .bar {{ stroke: var(--ink); stroke-width: 2.5; }}
svg .curve {{ fill: none; stroke-width: 2; }}
svg .predicted {{ fill: none; stroke: var(--faint); stroke-width: 1.4; stroke-dasharray: 2 3; }}
svg .kinks {{ fill: var(--band2); }}
svg .hue0 {{ stroke: var(--hue0); }} svg .hue1 {{ stroke: var(--hue1); }}
svg .hue2 {{ stroke: var(--hue2); }} svg .hue3 {{ stroke: var(--hue3); }}
svg .hue4 {{ stroke: var(--hue4); }}
:focus-visible {{ outline: 2px solid var(--hue0); outline-offset: 2px; }}
@media print {{ section {{ break-inside: avoid; }} }}
"""
