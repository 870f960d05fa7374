"""Cells and other requests of clients, from their arrival to their reply: turns, interrupts, questions."""
