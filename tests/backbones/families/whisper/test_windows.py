import torch
from hypothesis import given
from hypothesis import strategies as st

from backbones.families.whisper.windows import repack, window_lengths
from backbones.nn.padding import valid_mask

LENGTHS = st.lists(st.integers(1, 30), min_size=1, max_size=4).map(torch.tensor)
WIDTHS = st.integers(1, 40)


@given(LENGTHS, WIDTHS)
def test_windows_hold_all_of_a_row_and_only_its_last_is_shorter(
    lengths: torch.Tensor, width: int
) -> None:
    found = window_lengths(lengths, width).tolist()
    expected = [
        piece
        for length in lengths.tolist()
        for piece in (*[width] * (length // width), length % width)
        if piece
    ]
    assert found == expected


@given(LENGTHS, WIDTHS)
def test_windows_are_the_row_in_pieces(lengths: torch.Tensor, width: int) -> None:
    rows = [torch.randn(length, 2) for length in lengths]
    padded = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=torch.nan)
    pieces = window_lengths(lengths, width)
    windows = repack(padded, lengths, pieces)
    expected = [piece for row in rows for piece in row.split(width)]
    for window, piece in zip(windows, expected, strict=True):
        assert torch.equal(window[: len(piece)], piece)


@given(LENGTHS, WIDTHS)
def test_windows_go_back_to_the_rows_they_came_from(lengths: torch.Tensor, width: int) -> None:
    real = valid_mask(lengths, int(lengths.max()))
    rows = torch.randn(*real.shape, 2) * real[..., None]
    pieces = window_lengths(lengths, width)
    assert torch.equal(repack(repack(rows, lengths, pieces), pieces, lengths), rows)
