"""The lab's colours: its style sheet, with JupyterLab's own where it has them."""

from gradlab.plots.palette import PALETTES, Palette

__all__ = ["CSS", "palette_of"]


def palette_of(theme: str) -> Palette:
    """Return the colours that the kernel draws with; "auto" is light, and inverted by the CSS."""
    return PALETTES["dark" if theme == "dark" else "light"]


# In JupyterLab's dark theme the "auto" picture is inverted by the browser, hues turned back: the
# kernel cannot know the theme, the style sheet can. 0.93 makes white the theme's own #111.
CSS = """<style>
.gradlab-lab { contain: layout style; }
.gradlab-board { position: relative; margin: 2px 0; }
.gradlab-panels { display: flex; flex-wrap: wrap; margin-top: 2px; }
.gradlab-panel { position: relative; contain: strict; }
.gradlab-panel canvas { position: absolute; inset: 0; width: 100%; height: 100%; }
body[data-jp-theme-light="false"] .gradlab-auto .gradlab-panels {
  filter: invert(0.93) hue-rotate(180deg); }
.gradlab-restarted { padding: 6px 10px; border-left: 6px solid #8A6100; font-size: 13px;
  background: var(--jp-layout-color2, #eee); color: var(--jp-ui-font-color1, #222); }
.gradlab-cost { contain: strict; height: 16px;
  font-size: 11px; line-height: 16px; padding-left: 46px;
  color: var(--jp-ui-font-color2, #57606A); }
.gradlab-voice { position: absolute; width: 1px; height: 1px; overflow: hidden;
  clip-path: inset(50%); white-space: nowrap; }
.gradlab-large .gradlab-banner { font-size: 15px; height: 84px; }
.gradlab-large .gradlab-verdict { font-size: 20px; }
.gradlab-large .gradlab-cost { font-size: 15px; line-height: 20px; }
.gradlab-large .gradlab-cost { height: 20px; }
.gradlab-banner { contain: strict; height: 56px; overflow: auto;
  display: flex; gap: 12px; align-items: center;
  box-sizing: border-box; padding: 2px 10px; border-left: 6px solid; border-radius: 3px;
  background: var(--jp-layout-color2, #eee); font-size: 13px; line-height: 1.3; }
.gradlab-banner .gradlab-why { color: var(--jp-ui-font-color1, #222); }
.gradlab-verdict { font-weight: 700; font-size: 15px; white-space: nowrap; padding: 2px 10px;
  border-radius: 12px; color: #fff; }
.gradlab-correct { border-color: #007A5A; }
.gradlab-correct .gradlab-verdict { background: #007A5A; }
.gradlab-wrong, .gradlab-error { border-color: #B84300; }
.gradlab-wrong .gradlab-verdict, .gradlab-error .gradlab-verdict { background: #B84300; }
.gradlab-inconclusive { border-color: #8A6100; }
.gradlab-inconclusive .gradlab-verdict { background: #8A6100; }
</style>"""
