"""Two stages for Onward: `SessionStage` (causal) and `WinsoriseStage` (fitted in every fold)."""

from onward_session_features.opening import Opening
from onward_session_features.stage import SessionStage
from onward_session_features.winsorise import WinsoriseStage

__all__ = ["Opening", "SessionStage", "WinsoriseStage"]
