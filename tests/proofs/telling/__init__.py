"""What the battery found, for people: the live lines, the table, the page. Nothing here changes a proof."""
