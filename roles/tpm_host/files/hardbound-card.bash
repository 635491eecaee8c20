# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Completion of hardbound-card for bash.

_hardbound_card() {
  local current=${COMP_WORDS[COMP_CWORD]} words
  if [ "$COMP_CWORD" -eq 1 ]; then
    words="status change-pin unblock test uri ssh passkeys due"
  elif [ "${COMP_WORDS[COMP_CWORD - 1]}" = --card ]; then
    words=$(hardbound-card status --json 2>/dev/null | sed -n 's/^      "card": \([0-9]*\),$/\1/p')
  elif [ "${COMP_WORDS[1]}" = passkeys ]; then
    words="--card --json --remove"
  elif [ "${COMP_WORDS[1]}" = due ]; then
    words="--card --json --days --notify"
  else
    words="--card --json"
  fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}

complete -F _hardbound_card hardbound-card
