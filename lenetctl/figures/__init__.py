"""Pictures of runs and nets, and nothing else imports matplotlib. No torch, no MLflow."""
# ruff: noqa: E402

import logging

# of a home folder that it cannot write, to tell that it takes a temporary one
logging.getLogger("matplotlib").setLevel(logging.ERROR)

from lenetctl.figures.activations import feature_maps, feature_maps_compared
from lenetctl.figures.comparison import bands, ranked
from lenetctl.figures.confusion import confusion_matrix
from lenetctl.figures.curves import curves
from lenetctl.figures.diagrams.diagram import compact, diagram, flow
from lenetctl.figures.kernels import kernels
from lenetctl.figures.preview import previews
from lenetctl.figures.style import save

__all__ = [
    "bands",
    "compact",
    "confusion_matrix",
    "curves",
    "diagram",
    "feature_maps",
    "feature_maps_compared",
    "flow",
    "kernels",
    "previews",
    "ranked",
    "save",
]
