"""The heap that gives up entries before their turn."""

from __future__ import annotations

import random

from k8srt.util.workqueue.heap import Heap


def test_the_smallest_key_comes_first_and_equal_ones_in_order() -> None:
    heap = Heap[str]()
    for key, value in [(2.0, "c"), (1.0, "a"), (2.0, "d"), (1.0, "b")]:
        heap.push(heap.slot(key, value))

    assert heap.first_key() == 1.0
    assert [slot[2] for slot in heap] == ["a", "b", "c", "d"]
    assert [heap.pop() for _ in range(4)] == ["a", "b", "c", "d"]
    assert heap.first_key() is None


def test_taking_entries_out_agrees_with_a_sorted_list() -> None:
    rng = random.Random(7)
    heap, model = Heap[int](), []
    for value in range(3000):
        slot = heap.slot(float(rng.randrange(50)), value)
        heap.push(slot)
        model.append(slot)
        if rng.random() < 0.6:
            gone = model.pop(rng.randrange(len(model)))
            heap.discard(gone)
        assert len(heap) == len(model)

    expected = [slot[2] for slot in sorted(model, key=lambda slot: slot[:2])]
    assert [heap.pop() for _ in range(len(heap))] == expected
    assert heap.slots == []
