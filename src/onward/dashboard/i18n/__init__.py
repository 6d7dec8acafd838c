"""Words and figures in the reader's language."""

from onward.dashboard.i18n.figures import Figures
from onward.dashboard.i18n.languages import DEFAULT, LANGUAGES, Language, preferred
from onward.dashboard.i18n.texts import Texts, texts_of
from onward.dashboard.i18n.words import Words

__all__ = ["DEFAULT", "LANGUAGES", "Figures", "Language", "Texts", "Words", "preferred", "texts_of"]
