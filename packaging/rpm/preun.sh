# $1: 0 on a removal, 1 on an upgrade. State, configuration and user stay, as is usual with rpm.
if [ "$1" -eq 0 ]; then
  if [ -d /run/systemd/system ]; then systemctl stop budget-alertd.service || :; fi
  systemctl disable budget-alertd.service || :
fi
