"""What a long run leaves behind: many queries at once, and every process measured before and after."""
