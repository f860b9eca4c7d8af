# $1: 1 on an installation, 2 on an upgrade.
ran=
if [ "$1" -eq 1 ] && [ -d /run/systemd/system ] && systemctl --quiet is-active budget-alertd.service; then
  # What was installed by hand would go on running with the program that is replaced.
  ran=yes
  systemctl stop budget-alertd.service || :
fi
/usr/lib/budget-alertd/prepare
if [ -d /run/systemd/system ]; then systemctl daemon-reload || :; fi
if [ -n "$ran" ]; then
  systemctl start budget-alertd.service || :
elif [ "$1" -eq 1 ]; then
  # What the distribution has decided about services: on most, a person enables and starts them.
  systemctl preset budget-alertd.service || :
elif [ -d /run/systemd/system ]; then
  systemctl try-restart budget-alertd.service || :
fi
