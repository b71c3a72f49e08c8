#!/usr/bin/env bash
# dist/student/ -> the students' repository that course.toml names, and its release $TAG. Called by workflows/release.yml;
# needs git and gh, with GH_TOKEN. Safe to run again: a release that is there gets the new zips.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${TAG:?names the release}"

repository=$(sed -n 's/^repository = "\(.*\)"/\1/p' course.toml)
branch=$(sed -n 's/^branch = "\(.*\)"/\1/p' course.toml)
students=$(mktemp -d)
trap 'rm -rf "$students"' EXIT

gh auth setup-git
git clone --quiet --depth 1 --branch "$branch" "$repository" "$students"
for entry in dist/student/* dist/student/.[!.]*; do  # replaced whole; the repository's own README and LICENSE stay
    case "$entry" in
        *.zip | */.\[!.\]\*) continue ;;
    esac
    rm -rf "${students:?}/$(basename "$entry")"
    cp -R "$entry" "$students/"
done
cd "$students"
git add --all
if ! git diff --cached --quiet; then
    git -c user.name="github-actions[bot]" -c user.email="41898282+github-actions[bot]@users.noreply.github.com" \
        commit --quiet --message "Release $TAG"
    git push --quiet origin "HEAD:$branch"
fi
cd - > /dev/null
gh release view "$TAG" --repo "$repository" > /dev/null 2>&1 ||
    gh release create "$TAG" --repo "$repository" --title "$TAG" --notes-file assignment/CHANGELOG.md
gh release upload "$TAG" dist/student/*.zip --repo "$repository" --clobber
