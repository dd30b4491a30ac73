#!/bin/sh
# Pulls requests from Tandem once, carries them out in ServiceNow, and answers about each. Run it from where both can be
# reached, every 15 seconds or so. Needs curl and jq.
#
#   TANDEM=https://tandem.example/integrations/acme  TANDEM_TOKEN=…
#   SERVICENOW=https://itsm.acme.example  SERVICENOW_USER=…  SERVICENOW_PASSWORD=…
set -eu

: "${TANDEM:?the address of the integration, such as https://tandem.example/integrations/acme}"
: "${TANDEM_TOKEN:?the token of the integration}"
: "${SERVICENOW:?the address of the instance}"
: "${SERVICENOW_USER:?a user of the instance}"
: "${SERVICENOW_PASSWORD:?their password}"
limit=${LIMIT:-20}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM

# Secrets go in by files that only we can read, so that no list of processes shows them.
umask 077
printf 'header = "Authorization: Bearer %s"\n' "$TANDEM_TOKEN" >"$work/tandem"
printf 'user = "%s:%s"\n' "$SERVICENOW_USER" "$SERVICENOW_PASSWORD" >"$work/servicenow"

say() { printf '%s\n' "$*" >&2; }

tandem() { curl --silent --show-error --fail-with-body --max-time 30 --config "$work/tandem" "$@"; }

# servicenow METHOD PATH [CURL OPTIONS]: the answer goes to $work/answer; fails on any status but 2xx.
servicenow() {
    method=$1 path=$2 status=000
    shift 2
    status=$(curl --silent --show-error --max-time 60 --config "$work/servicenow" --request "$method" \
        --header 'Accept: application/json' --header 'Content-Type: application/json' \
        --output "$work/answer" --write-out '%{http_code}' "$@" "$SERVICENOW/api/now/table/$path") || return 1
    case $status in 2??) return 0 ;; esac
    return 1
}

# The sys_id of the one record of TABLE whose COLUMN is VALUE; nothing when there is none.
sys_id_of() {
    servicenow GET "$1" --get --data-urlencode "sysparm_query=$2=$3" --data-urlencode sysparm_fields=sys_id,number \
        --data-urlencode sysparm_limit=1 || return 1
    jq -r '.result[0].sys_id // empty' "$work/answer"
}

# Answers about $request with the JSON members of the filter.
answer() {
    printf '%s' "$request" | jq -c "{id, fence, event_type, incident_id} + $*" --arg text "${text:-}" \
        --arg sys_id "${sys_id:-}" --arg number "${number:-}" --arg url "$SERVICENOW/nav_to.do?uri=$table.do?sys_id=${sys_id:-}" \
        >"$work/told"
    tandem --header 'Content-Type: application/json' --data-binary "@$work/told" "$TANDEM/callback" >"$work/settled" ||
        say "Tandem did not take the answer: $(cat "$work/settled")"
}

failed() {
    text=$(jq -r '.error | [.message, .detail] | map(select(. != null and . != "")) | join(": ")' "$work/answer" 2>/dev/null) || text=
    text=${text:-ServiceNow did not answer}
    say "$operation of $incident: $text"
    answer '{error: $text}'
}

# A group or a person that ServiceNow doesn't know is left out with a note; a ticket is never refused for it.
with_references() {
    printf '%s' "$request" | jq -c '.fields' >"$work/fields"
    printf '%s' "$request" | jq -c '.references[]' >"$work/references"
    while IFS= read -r reference; do
        field=$(printf '%s' "$reference" | jq -r .field)
        value=$(printf '%s' "$reference" | jq -r .value)
        found=$(sys_id_of "$(printf '%s' "$reference" | jq -r .table)" "$(printf '%s' "$reference" | jq -r .by)" "$value") ||
            return 1
        if [ -n "$found" ]; then
            jq -c --arg field "$field" --arg found "$found" '.[$field] = $found' "$work/fields" >"$work/next"
        else
            note="$field was left empty: there is no $value."
            jq -c --arg note "$note" '.work_notes = ([.work_notes, $note] | map(select(. != null)) | join("\n"))' \
                "$work/fields" >"$work/next"
        fi
        mv "$work/next" "$work/fields"
    done <"$work/references"
}

carry_out() {
    operation=$(printf '%s' "$request" | jq -r .operation)
    incident=$(printf '%s' "$request" | jq -r .incident_id)
    table=$(printf '%s' "$request" | jq -r .table)
    correlation=$(printf '%s' "$request" | jq -r .correlation_id)
    sys_id=$(printf '%s' "$request" | jq -r '.sys_id // empty')
    if [ "$operation" = create ]; then
        # Always looks first: whoever pulled before may have died between creating and answering.
        sys_id=$(sys_id_of "$table" correlation_id "$correlation") || { failed; return; }
        if [ -n "$sys_id" ]; then
            number=$(jq -r '.result[0].number' "$work/answer")
            say "$incident has $number already"
            answer '{sys_id: $sys_id, number: $number, url: $url}'
            return
        fi
    fi
    with_references || { failed; return; }
    if [ "$operation" = create ]; then
        servicenow POST "$table" --data-binary "@$work/fields" || { failed; return; }
    else
        servicenow PATCH "$table/$sys_id" --data-binary "@$work/fields" || { failed; return; }
    fi
    sys_id=$(jq -r .result.sys_id "$work/answer")
    number=$(jq -r .result.number "$work/answer")
    say "$operation of $incident: $number"
    answer '{sys_id: $sys_id, number: $number, url: $url}'
}

# What was pulled and is not answered counts as tried, so credentials that are refused must be noticed before.
servicenow GET sys_user --get --data-urlencode sysparm_limit=1 --data-urlencode sysparm_fields=sys_id ||
    case $status in
    401 | 403) say "ServiceNow refused $SERVICENOW_USER ($status); nothing was pulled"; exit 1 ;;
    esac

tandem "$TANDEM/retrieve?limit=$limit" >"$work/pulled" || { say "nothing could be pulled: $(cat "$work/pulled")"; exit 1; }
jq -c '.[]' "$work/pulled" >"$work/requests"
while IFS= read -r request; do
    carry_out
done <"$work/requests"
