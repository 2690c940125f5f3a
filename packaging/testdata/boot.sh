#!/bin/bash
# Runs inside a booted Debian, where /packages/1 and /packages/2 hold two versions of our packages.
# Each line that it prints is "ok WHAT" or "FAIL WHAT: why"; the last one is "end".
cd /packages

check() {
	local out
	if out=$(bash -euo pipefail -c "$2" 2>&1); then
		echo "ok $1"
	else
		echo "FAIL $1: $2: ${out//$'\n'/ | }"
	fi
}

# soon DEADLINE-SECONDS SNIPPET: waits until the snippet succeeds.
soon() {
	local end=$((SECONDS + $1))
	until bash -euo pipefail -c "$2" >/dev/null 2>&1; do
		((SECONDS < end)) || { echo "not within $1 s: $2"; return 1; }
		sleep 0.1
	done
}

# bash does not end at a "! command" that fails.
not() { if "$@"; then return 1; fi; }

agent_pid() { systemctl show --property=MainPID --value plimsoll-agent; }
export -f soon not agent_pid
series='plimsoll_job_last_success_timestamp_seconds{'
export series

check "the agent's package installs" 'dpkg -i 1/plimsoll-agent_*.deb'
check "the agent runs without any configuration" 'systemctl is-active plimsoll-agent; systemctl is-enabled plimsoll-agent'
check "the agent serves metrics on loopback" 'soon 60 "curl -fsS http://127.0.0.1:9897/metrics | grep -F \"\$series\""'
check "the agent is healthy" 'curl -fsS http://127.0.0.1:9897/healthz'
check "the socket is open to its group alone" '[[ $(stat -c "%a %U %G" /run/plimsoll/agent.sock) == "660 plimsoll plimsoll" ]]'
check "a member of the group gets a snapshot" '
	useradd --groups plimsoll member
	setpriv --reuid member --regid member --init-groups curl -fsS --unix-socket /run/plimsoll/agent.sock http://agent/v1/snapshot | grep -F "\"sections\""'
check "others get none" 'not setpriv --reuid nobody --regid nogroup --clear-groups curl -fsS --unix-socket /run/plimsoll/agent.sock http://agent/v1/snapshot'
check "the agent finds the local database and logs in by socket" '
	mariadb </usr/share/doc/plimsoll-agent/grants.sql
	soon 150 "curl -fsS http://127.0.0.1:9897/metrics | grep ^mysql_global_status_"'
check "the running agent is confined" 'systemd-analyze security --threshold=15 plimsoll-agent'
check "the agent has no capability and no way to one" '
	grep -E "^CapBnd:\s0+$" /proc/$(agent_pid)/status
	grep -E "^NoNewPrivs:\s1$" /proc/$(agent_pid)/status'
check "the sandbox keeps nothing from the agent that it needs" '
	not journalctl --unit plimsoll-agent --grep "level=ERROR|permission denied|not permitted"'

check "a group counts inside of PrivateUsers" '
	install -o root -g adm -m 640 /dev/null /var/log/slow.log
	systemd-run --wait --quiet -p User=plimsoll -p PrivateUsers=yes -p SupplementaryGroups=adm test -r /var/log/slow.log
	not systemd-run --wait --quiet -p User=plimsoll -p PrivateUsers=yes test -r /var/log/slow.log'
check "a drop-in gives the agent a group" '
	install -D -m 644 -t /etc/systemd/system/plimsoll-agent.service.d /usr/share/doc/plimsoll-agent/examples/slow-log.conf
	systemctl daemon-reload
	systemctl restart plimsoll-agent
	grep -E "^Groups:.*\b$(getent group adm | cut -d: -f3)\b" /proc/$(agent_pid)/status'
check "a drop-in gives the agent a password" '
	install -m 600 /dev/null /etc/plimsoll/agent/mysql.dsn
	echo secret >/etc/plimsoll/agent/mysql.dsn
	install -m 644 -t /etc/systemd/system/plimsoll-agent.service.d /usr/share/doc/plimsoll-agent/examples/mysql-password.conf
	systemctl daemon-reload
	systemctl restart plimsoll-agent
	[[ $(cat /run/credentials/plimsoll-agent.service/mysql) == secret ]]
	rm -r /etc/systemd/system/plimsoll-agent.service.d
	systemctl daemon-reload
	systemctl restart plimsoll-agent'

check "a killed agent comes back" '
	old=$(agent_pid)
	kill -KILL $old
	soon 20 "systemctl is-active plimsoll-agent && [[ \$(agent_pid) != $old ]]"'
check "a hanging agent is ended and comes back" '
	mkdir -p /run/systemd/system/plimsoll-agent.service.d
	printf "[Service]\nWatchdogSec=2s\n" >/run/systemd/system/plimsoll-agent.service.d/soon.conf
	systemctl daemon-reload
	systemctl restart plimsoll-agent
	old=$(agent_pid)
	kill -STOP $old
	soon 30 "systemctl is-active plimsoll-agent && [[ \$(agent_pid) != $old ]]"
	journalctl --unit plimsoll-agent --grep "Watchdog timeout"
	rm -r /run/systemd/system/plimsoll-agent.service.d
	systemctl daemon-reload'

check "an upgrade runs the new program and keeps the configuration" '
	echo "# mine" >>/etc/plimsoll/agent.yml
	old=$(agent_pid)
	dpkg -i 2/plimsoll-agent_*.deb </dev/null
	systemctl is-active plimsoll-agent
	[[ $(agent_pid) != $old ]]
	grep "# mine" /etc/plimsoll/agent.yml'
check "an upgrade leaves a disabled agent disabled" '
	systemctl disable plimsoll-agent
	dpkg -i 2/plimsoll-agent_*.deb
	not systemctl is-enabled plimsoll-agent
	systemctl enable plimsoll-agent'

# page SECONDS: asks PHP-FPM for a page that sleeps.
page() {
	echo "<?php usleep($1 * 1000000); echo 'slept';" >/srv/index.php
	SCRIPT_FILENAME=/srv/index.php SCRIPT_NAME=/index.php REQUEST_METHOD=GET REQUEST_URI=/sleepy/4711 DOCUMENT_ROOT=/srv \
		cgi-fcgi -bind -connect /run/php/php-fpm.sock | grep slept
}
profile() { curl -fsS --unix-socket /run/plimsoll/agent.sock http://agent/v1/snapshot/php_profile; }
probe_pid() { systemctl show --property=MainPID --value plimsoll-probe; }
fpm=$(basename /lib/systemd/system/php*-fpm.service)
export -f page profile probe_pid
export fpm
check "the probe's package installs and runs" 'dpkg -i 1/plimsoll-probe_*.deb; systemctl is-active plimsoll-probe; systemctl is-enabled plimsoll-probe'
check "the probe's socket is open to the agent's group alone" '
	[[ $(stat -c "%a %U %G" /run/plimsoll-probe/probe.sock) == "660 plimsoll-probe plimsoll" ]]
	[[ $(stat -c "%a %U %G" /run/plimsoll-probe) == "750 plimsoll-probe plimsoll" ]]'
check "the running probe is confined" 'systemd-analyze security --threshold=15 plimsoll-probe'
check "the probe has two capabilities and no way to another" '
	[[ $(capsh --decode=$(sed -n "s/^CapEff:\s*//p" /proc/$(probe_pid)/status)) == *=cap_dac_read_search,cap_sys_ptrace ]]
	[[ $(capsh --decode=$(sed -n "s/^CapBnd:\s*//p" /proc/$(probe_pid)/status)) == *=cap_dac_read_search,cap_sys_ptrace ]]
	grep -E "^NoNewPrivs:\s1$" /proc/$(probe_pid)/status'
check "the probe has no network" '[[ $(readlink /proc/$(probe_pid)/ns/net) != $(readlink /proc/1/ns/net) ]]'
check "the agent hands on what the probe saw: for which route workers sleep, and where" '
	systemctl is-active $fpm
	page 8
	soon 60 "profile | grep -F /sleepy/{id}"
	profile | grep -F usleep
	profile | grep -F /run/php/
	not bash -c "profile | grep -F CAP_SYS_PTRACE"'
check "an upgrade of PHP or a reload leaves no gap" '
	systemctl reload $fpm
	sleep 7
	page 8
	soon 60 "profile | grep \"requests.: *2\""'
check "the sandbox keeps nothing from the probe that it needs" '
	not journalctl --unit plimsoll-probe --grep "level=ERROR|permission denied|not permitted"'

check "the advisor's package installs and starts nothing" '
	dpkg -i 1/plimsoll_*.deb | grep "systemctl enable --now plimsoll"
	not systemctl is-active plimsoll
	not systemctl is-enabled plimsoll'
check "the advisor may use the agent's socket and not its files" '
	id -nG plimsoll-advisor | grep -w plimsoll
	[[ $(stat -c "%a %U %G" /var/lib/plimsoll) == "750 plimsoll-advisor plimsoll-advisor" ]]
	not setpriv --reuid plimsoll --regid plimsoll --init-groups ls /var/lib/plimsoll'
check "the advisor runs once it is told to" '
	systemctl enable --now plimsoll
	soon 30 "curl -fsS http://127.0.0.1:9898/healthz"'
check "the advisor reports on this host" 'plimsoll report | grep -F "$(hostname)"'
check "the advisor can read what root acknowledged" '
	soon 150 "plimsoll report --format json | grep fingerprint"
	plimsoll ack "$(plimsoll report --format json | grep -m 1 -oP "\"fingerprint\": \"\K[^\"]+")" --why "it is a test"
	setpriv --reuid plimsoll-advisor --regid plimsoll-advisor --init-groups grep "it is a test" /var/lib/plimsoll/acks.yml'
check "the advisor can use the certificates that root made" '
	plimsoll enroll --output /tmp web1
	for file in ca.pem advisor.crt advisor.key; do
		setpriv --reuid plimsoll-advisor --regid plimsoll-advisor --init-groups test -r /var/lib/plimsoll/ca/$file
	done'
check "a host can use the certificates that it was sent" '
	plimsoll-agent init --bundle /tmp/plimsoll-web1.tar
	printf "listen: 0.0.0.0:9897\nweb_config_file: /etc/plimsoll/agent/web.yml\n" >>/etc/plimsoll/agent.yml
	systemctl restart plimsoll-agent
	cd /var/lib/plimsoll/ca
	curl -fsS --cacert ca.pem --cert advisor.crt --key advisor.key --connect-to web1:9897:127.0.0.1:9897 https://web1:9897/v1/snapshot | grep -F "\"sections\""
	not curl -fsS --cacert ca.pem --connect-to web1:9897:127.0.0.1:9897 https://web1:9897/metrics'
check "an upgrade runs the new advisor" '
	old=$(systemctl show --property=MainPID --value plimsoll)
	dpkg -i 2/plimsoll_*.deb
	systemctl is-active plimsoll
	[[ $(systemctl show --property=MainPID --value plimsoll) != "$old" ]]'
check "the running advisor is confined" 'systemd-analyze security --threshold=15 plimsoll'

check "removing keeps what was configured and gathered" '
	dpkg -r plimsoll plimsoll-probe plimsoll-agent
	not systemctl is-active plimsoll
	not systemctl is-active plimsoll-agent
	not systemctl is-active plimsoll-probe
	[[ ! -e /run/plimsoll && ! -e /run/plimsoll-probe ]]
	grep "# mine" /etc/plimsoll/agent.yml
	[[ -n $(ls /var/lib/plimsoll-agent) ]]'
check "what was removed installs again" '
	dpkg -i 2/plimsoll_*.deb 2/plimsoll-agent_*.deb
	systemctl is-active plimsoll-agent
	systemctl is-enabled plimsoll'
check "purging leaves nothing but the accounts" '
	dpkg -P plimsoll plimsoll-probe plimsoll-agent
	[[ ! -e /var/lib/plimsoll && ! -e /var/lib/plimsoll-agent && ! -e /etc/plimsoll/agent.yml ]]
	[[ -z $(find /etc/systemd /usr/lib/systemd /var/lib/systemd/deb-systemd-helper-* -name "plimsoll*") ]]'
check "the other order installs too" '
	userdel plimsoll-advisor
	userdel plimsoll
	dpkg -i 1/plimsoll_*.deb
	dpkg -i 1/plimsoll-probe_*.deb
	dpkg -i 1/plimsoll-agent_*.deb
	[[ $(id -gn plimsoll) == plimsoll ]]
	soon 30 "systemctl is-active plimsoll-agent"
	soon 30 "systemctl is-active plimsoll-probe"'
echo end
