-- A whole Prosody for the tests, on loopback and on free ports. Not for a company: its accounts have plain passwords,
-- which may pass unencrypted.
--
-- The launcher copies this file and panel-presence.cfg.lua into the server's folder and there replaces the values of the
-- local variables at the top of both, and nothing else. So what is tested is the very fragment that an administrator
-- takes over.

local folder = "/tmp/panel-presence-prosody"
local c2s_port = 5222
local component_port = 5347

-- Who runs the tests may be root, in a container; Prosody would refuse.
run_as_root = true
pidfile = folder .. "/prosody.pid"
data_path = folder .. "/data"
certificates = folder .. "/certs"
log = { info = folder .. "/prosody.log" }

interfaces = { "127.0.0.1" }
local_interfaces = { "127.0.0.1" }
c2s_ports = { c2s_port }
component_ports = { component_port }

storage = "internal"
-- Hashed passwords cost more than the whole rest of a login, and the tests make thousands of accounts that live for seconds.
authentication = "internal_plain"
allow_unencrypted_plain_auth = true
c2s_require_encryption = false
-- The default, 600 s, keeps a client that vanished online; see the fragment.
smacks_hibernation_time = 60
archive_expires_after = "1d"

modules_enabled = {
	"admin_shell"; -- by its socket the tests make accounts and read rosters
	"blocklist";
	"bookmarks";
	"carbons";
	"csi_simple";
	"disco";
	"lastactivity";
	"mam";
	"pep";
	"ping";
	"posix";
	"private";
	"privilege"; -- step 2 of the fragment
	"roster";
	"saslauth";
	"smacks";
	"time";
	"tls";
	"uptime";
	"vcard4";
	"vcard_legacy";
	"version";
}
modules_disabled = { "s2s" }

VirtualHost "example.test"

Include "panel-presence.cfg.lua"
