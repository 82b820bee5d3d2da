"""Parts that panes and screens are made of. They know values and drawing, nothing of sessions."""
