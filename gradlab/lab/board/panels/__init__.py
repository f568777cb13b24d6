"""The lab's panels: each draws one thing of a result.

`PANELS` is in the order in which they stand beside each other.
"""

from gradlab.lab.board.panels.agreement import AgreementPanel
from gradlab.lab.board.panels.boundary import BoundaryPanel
from gradlab.lab.board.panels.cuts import CutsPanel
from gradlab.lab.board.panels.gradient_size import GradientSizePanel
from gradlab.lab.board.panels.heatmap import HeatmapPanel
from gradlab.lab.board.panels.loss_along import LossAlongPanel
from gradlab.lab.board.panels.measures import MeasuresPanel
from gradlab.lab.board.panels.network import NetworkPanel
from gradlab.lab.board.panels.panel import Panel
from gradlab.lab.board.panels.seeds import SeedsPanel
from gradlab.lab.board.panels.tensors import TensorsPanel
from gradlab.lab.board.panels.training import TrainingPanel
from gradlab.lab.board.panels.u_curve import UCurvePanel
from gradlab.lab.board.panels.units import UnitsPanel

__all__ = ["DEFAULT", "NAMES", "PANELS", "Panel"]

PANELS: tuple[type[Panel], ...] = (
    UCurvePanel,
    TensorsPanel,
    NetworkPanel,
    HeatmapPanel,
    AgreementPanel,
    LossAlongPanel,
    GradientSizePanel,
    MeasuresPanel,
    CutsPanel,
    UnitsPanel,
    BoundaryPanel,
    TrainingPanel,
    SeedsPanel,
)
NAMES = tuple(panel.name for panel in PANELS)
DEFAULT = ("u_curve", "tensors", "network")
