"""The lab's colours: its style sheet, with JupyterLab's own where it has them."""

from gradlab.plots.palette import PALETTES, Palette

__all__ = ["CSS", "palette_of"]


def palette_of(theme: str) -> Palette:
    """Return the colours that the kernel draws with; "auto" is light, and inverted by the CSS."""
    return PALETTES["dark" if theme == "dark" else "light"]


# In JupyterLab's dark theme the "auto" picture is inverted by the browser, hues turned back: the
# kernel cannot know the theme, the style sheet can. 0.93 makes white the theme's own #111.
CSS = """<style>
.gradlab-lab { max-width: 1500px; contain: layout style; }
.gradlab-lab .widget-html, .gradlab-lab .widget-html-content { height: auto; line-height: 1.3; }
.gradlab-board { position: relative; margin: 2px 0; }
.gradlab-panels { display: flex; flex-wrap: wrap; margin-top: 2px; }
.gradlab-panel { position: relative; contain: strict; }
.gradlab-panel canvas { position: absolute; inset: 0; width: 100%; height: 100%; }
.gradlab-lab .widget-dropdown > select { padding-left: 4px; padding-right: 18px; }
.gradlab-lab .widget-checkbox label { display: flex; align-items: center; gap: 6px; }
.gradlab-lab .widget-checkbox input { margin: 0; align-self: center; }
body[data-jp-theme-light="false"] .gradlab-auto .gradlab-panels {
  filter: invert(0.93) hue-rotate(180deg); }
.gradlab-restarted { padding: 6px 10px; border-left: 6px solid #8A6100; font-size: 13px;
  background: var(--jp-layout-color2, #eee); color: var(--jp-ui-font-color1, #222); }
.gradlab-cost { contain: strict; height: 16px;
  font-size: 11px; line-height: 16px; padding-left: 46px;
  color: var(--jp-ui-font-color2, #57606A); }
.gradlab-voice { position: absolute; width: 1px; height: 1px; overflow: hidden;
  clip-path: inset(50%); white-space: nowrap; }
.gradlab-chooser .widget-label { display: none; }
.gradlab-chooser .widget-toggle-button { padding: 0 10px; }
.gradlab-folded, .gradlab-group .gradlab-heading { display: none; }
.gradlab-told { font-size: 13px; line-height: 1.4; margin: 2px 4px; max-width: 800px; }
.gradlab-code select, .gradlab-told code { font-family: var(--jp-code-font-family, monospace); }
.gradlab-told code { white-space: pre-wrap; font-size: 13px; background: none; color: inherit; }
.gradlab-large { --jp-widgets-font-size: 16px; --jp-widgets-inline-height: 32px; }
.gradlab-large .gradlab-banner { font-size: 15px; height: 84px; }
.gradlab-large .widget-label { width: 125px !important; }
.gradlab-large .gradlab-verdict { font-size: 20px; }
.gradlab-large .gradlab-cost, .gradlab-large .gradlab-told { font-size: 15px; line-height: 20px; }
.gradlab-large .gradlab-cost { height: 20px; }
.gradlab-large .gradlab-heading { font-size: 15px; }
.gradlab-large .gradlab-shown { max-width: 1120px !important; }
@media (min-width: 1700px) {
  .gradlab-chooser { display: none; }
  .gradlab-folded { display: flex; }
  .gradlab-group .gradlab-heading { display: block; }
}
.gradlab-heading { font-weight: 600; font-size: 12px; color: var(--jp-ui-font-color1, #222);
  border-bottom: 1px solid var(--jp-border-color2, #ccc); margin: 0 2px 2px; }
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
