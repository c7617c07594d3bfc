"""What every forge does alike: the local forge's own tests, against GitHub."""

from __future__ import annotations

import pytest

from tests.adapters.forge.test_forge_local import (  # noqa: F401 - pytest collects them here once more
    test_a_later_date_alone_is_no_news,
    test_another_key_is_another_pull_request,
    test_attachment_path_must_stay_inside,
    test_other_content_updates_the_same_pull_request,
    test_path_of_a_directory_is_refused_and_neighbours_are_no_obstacle,
    test_path_through_a_file_is_refused,
    test_path_through_a_link_is_refused,
    test_proposal_that_changes_nothing_is_refused,
    test_publish_leaves_the_users_repository_alone,
    test_publish_opens_a_pull_request,
    test_unknown_pull_request_and_attachment,
)


@pytest.fixture
def forge(github):
    return github
