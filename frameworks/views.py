"""How many views of train a teacher answers: epochs of it, each augmented in another way.

A teacher's answer costs more than a student's step, so after those epochs the same batches come again from memory, with the
answers they got. That the teacher sees the very batch the student sees matters more than ever new ones ("a good teacher is
patient and consistent", Beyer et al. 2022).
"""

MOST = 10
KEPT = 2**30  # bytes of their features that may stay in memory


def kept(epochs: int, size: int) -> int:
    """Of `epochs` epochs of `size` bytes each, how many stay in memory; 0 where not even one does."""
    return min(MOST, epochs, KEPT // size)
