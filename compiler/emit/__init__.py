"""From what is scheduled to the words of queues, and back."""
