"""Program text in MEM: queues that hold less than their program, filled by IFETCH while they run."""
