"""Frames at the top of the frozen prefix, computed once and kept for every trial that needs them.

views     which frames a trial starts from, and what of them must be kept
store     where they lie: segments of rows, found by the digest of an utterance's sound
extract   one pass over the audio that fills the store, and goes on where it was interrupted
room      how much disk they may take, and what makes way
inputs    batches gathered from the store for a fit
"""
