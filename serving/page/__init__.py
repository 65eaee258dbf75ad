"""The page (Gradio): chat, editor, profile, library, campaigns, models, data quality, settings."""
