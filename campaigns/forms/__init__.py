"""What staff type about agents."""

from campaigns.forms.drafts import Draft, content_of, draft_of, read_draft
from campaigns.forms.editing import apply
from campaigns.forms.editor import Editor

__all__ = ["Draft", "Editor", "apply", "content_of", "draft_of", "read_draft"]
