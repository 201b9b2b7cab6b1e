"""The pictures and tables that a run's folder holds, and those that a command draws elsewhere."""

from lenetctl.artifacts.ablation import ablation_csv, draw_ablation, draw_occlusion
from lenetctl.artifacts.activations import (
    activations_stem,
    counted,
    draw_activations,
    draw_kernels,
    drawn_rows,
    write_activations,
)
from lenetctl.artifacts.files import copy_into, file_stem, write_output
from lenetctl.artifacts.runs import (
    draw,
    draw_comparison,
    draw_diagnosis,
    draw_evaluation,
    draw_gallery,
    draw_ladder,
    draw_search,
    mistake_caption,
)

__all__ = [
    "ablation_csv",
    "activations_stem",
    "copy_into",
    "counted",
    "draw",
    "draw_ablation",
    "draw_activations",
    "draw_comparison",
    "draw_diagnosis",
    "draw_evaluation",
    "draw_gallery",
    "draw_kernels",
    "draw_ladder",
    "draw_occlusion",
    "draw_search",
    "drawn_rows",
    "file_stem",
    "mistake_caption",
    "write_activations",
    "write_output",
]
