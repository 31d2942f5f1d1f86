from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wagtail_pim.client.odata import any_of, pages, quoted
from wagtail_pim.exceptions import PayloadError

from .conftest import guid

Q = {"$filter": "status eq 'Approved'"}


class FakeTransport:
    """Gives these answers in turn and takes down what was asked."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []

    def get(self, target, params=None):
        self.asked.append((target, params))
        return self.answers.pop(0)


def read(*answers):
    return list(pages(FakeTransport(*answers), "things", {}))


def page(records, count=None, next_link=None):
    answer = {"value": records}
    if count is not None:
        answer["@odata.count"] = count
    if next_link is not None:
        answer["@odata.nextLink"] = next_link
    return answer


def test_count_is_asked_with_the_first_page_and_the_link_followed_as_it_is():
    link = "things?$skiptoken=a%2Fb"
    transport = FakeTransport(page([1], 2, link), page([2]))
    assert list(pages(transport, "things", Q)) == [[1], [2]]
    assert transport.asked == [("things", {**Q, "$count": "true"}), (link, None)]


def test_pages_are_read_one_at_a_time():
    transport = FakeTransport(page([1], 2, "next"), page([2]))
    assert next(pages(transport, "things", {})) == [1]
    assert len(transport.asked) == 1


@pytest.mark.parametrize("count", [None, "many", -1, 1.5])
def test_listing_that_is_not_counted_is_an_error(count):
    # Whether it is whole could not be told.
    with pytest.raises(PayloadError, match="does not say how many records things has"):
        read(page([1], count))


@pytest.mark.parametrize("count", [0, "0"])
def test_empty_listing(count):
    assert read(page([], count)) == [[]]


def test_full_last_page_may_be_followed_by_an_empty_one():
    assert read(page([1, 2], 2, "next"), page([])) == [[1, 2], []]


@pytest.mark.parametrize("count", [3, "3"])
def test_listing_that_broke_off_is_an_error(count):
    with pytest.raises(PayloadError, match=r"things broke off: 2 of 3.*Run again"):
        read(page([1], count, "next"), page([2]))


def test_listing_that_broke_off_has_given_its_pages_before():
    listing = pages(FakeTransport(page([1], 2)), "things", {})
    assert next(listing) == [1]
    with pytest.raises(PayloadError):
        next(listing)


def test_records_that_came_to_be_meanwhile_are_no_error():
    assert read(page([1], 1, "next"), page([2])) == [[1], [2]]


@pytest.mark.parametrize(
    "answer",
    [None, [], "text", 5, {}, {"value": None}, {"value": {}}, {"value": "records"}],
)
@pytest.mark.parametrize("before", [[], [page([1], 2, "next")]])
def test_answer_that_is_no_listing_is_an_error(before, answer):
    with pytest.raises(PayloadError, match="things is not a listing"):
        read(*before, answer)


@pytest.mark.parametrize("link", [5, ["next"], {"url": "next"}, True])
def test_link_that_is_no_text_is_an_error(link):
    with pytest.raises(PayloadError, match="things does not end"):
        read({**page([1], 2), "@odata.nextLink": link})


def test_link_that_leads_back_is_an_error():
    with pytest.raises(PayloadError, match="things does not end"):
        read(page([1], 9, "a"), page([2], None, "b"), page([3], None, "a"))


def test_listing_whose_links_never_end_is_an_error():
    class Endless:
        asked = 0

        def get(self, target, params=None):
            self.asked += 1
            assert self.asked < 100
            return page([], 3, f"things?$skip={self.asked}")

    with pytest.raises(PayloadError, match="things does not end"):
        list(pages(Endless(), "things", {}))


@given(st.lists(st.lists(st.integers(), max_size=5), min_size=1, max_size=8))
def test_whole_listing_arrives_in_order(parts):
    everything = [record for part in parts for record in part]
    # Only the last page may be empty: so do servers page.
    full = [part for part in parts[:-1] if part] + [parts[-1]]
    answers = [page(part, None, f"page-{n}") for n, part in enumerate(full)]
    del answers[-1]["@odata.nextLink"]
    answers[0]["@odata.count"] = len(everything)
    assert [record for part in read(*answers) for record in part] == everything


@given(
    st.lists(st.lists(st.integers(), min_size=1, max_size=5), min_size=2, max_size=8),
    st.data(),
)
def test_listing_cut_anywhere_is_an_error(parts, data):
    cut = data.draw(st.integers(min_value=1, max_value=len(parts) - 1))
    answers = [page(part, None, f"page-{n}") for n, part in enumerate(parts[:cut])]
    del answers[-1]["@odata.nextLink"]
    answers[0]["@odata.count"] = sum(map(len, parts))
    with pytest.raises(PayloadError, match="broke off"):
        read(*answers)


def test_filter_by_ids():
    a, b = guid("a"), guid("b")
    assert any_of("id", [a, b]) == f"id in ({a},{b})"
    assert any_of("id", [UUID(str(a).upper())]) == f"id in ({a})"


@given(st.text())
def test_string_literal_cannot_be_left(text):
    literal = quoted(text)
    assert literal[0] == literal[-1] == "'"
    assert literal[1:-1].replace("''", "") == text.replace("'", "")
    assert literal[1:-1].replace("''", "'") == text
