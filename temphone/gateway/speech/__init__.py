"""Speech: text to sound, sound to text, and whether somebody has finished speaking."""
