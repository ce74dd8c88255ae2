"""The settings that params.yaml may state: each with its type, its range and its meaning.

No setting has a default here. params.yaml holds them all, so that a reader finds there what a run used. A choice is a
class: one field names it in params.yaml, its other fields are the settings that go with it, and its methods are the
rules that concern other settings. `CHOICES` lists the classes; a new model, optimiser, loss or schedule is one more.
"""

from remnist.settings.base import Betas, Count, Fraction, Misfit, Seed, Seeds, Settings, UnitInterval, Width
from remnist.settings.data import Data, DataSet, Images, Xor
from remnist.settings.models import (
    Cnn,
    Convolutional,
    Mlp,
    MlpMixer,
    Model,
    ModelSettings,
    Patched,
    ResidualCnn,
    ResMlp,
    VisionPermutator,
)
from remnist.settings.training import (
    Adagrad,
    Adam,
    AdamW,
    Augmentation,
    Constant,
    Cosine,
    CrossEntropy,
    CrossEntropyOfSoftmax,
    KlDivergence,
    Loss,
    MseArgmax,
    MseOfLogits,
    MseOneHot,
    OneCycle,
    Optimizer,
    RmsProp,
    Schedule,
    Sgd,
    Train,
)
from remnist.settings.variant import ALWAYS, CHOICES, SECTIONS, XOR, Kind, Variant, always, tags
