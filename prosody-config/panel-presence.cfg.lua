-- Panel Presence beside an existing Prosody (0.12 and later): everything the component needs, in one file.
--
-- Five minutes:
--   1. apt-get install prosody-modules, for mod_privilege (XEP-0356; the version of May 2022 or later). Without Debian:
--          prosodyctl install --server=https://modules.prosody.im/rocks/ mod_privilege
--   2. Add "privilege"; to modules_enabled at the top of /etc/prosody/prosody.cfg.lua. It cannot stand here: a
--      modules_enabled of the company's VirtualHost in this file would replace one that you have there already.
--   3. Copy this file to /etc/prosody/conf.d/panel-presence.cfg.lua, owner root, group prosody, mode 0640: it holds a
--      secret. Debian's prosody.cfg.lua includes conf.d; elsewhere add as its last line:
--          Include "conf.d/panel-presence.cfg.lua"
--   4. Change the lines marked EDIT.
--   5. prosodyctl check config, then: systemctl restart prosody. A reload does not start the host of a new component.
--   6. The same secret goes to the component's [xmpp] secret_file. It needs nothing else: with rosters.method = "auto"
--      it finds the privilege by itself, and `panel-presence check` says so.

local company = "example.test"                        -- EDIT: the domain of the employees' accounts
local component = "panel.example.test"                -- EDIT: [xmpp] domain of the component
local secret = "change me"                            -- EDIT: [xmpp] secret of the component

-- Naming a VirtualHost a second time adds to it and takes nothing away, whichever file is read first. One exception: if
-- it has privileged_entities already, put the entry below into yours and delete these lines. The last one read wins.
VirtualHost(company)
	privileged_entities = {
		[component] = {
			-- The component fills the rosters: it gives each employee the colleagues, and reads what is there.
			roster = "both";
			-- Prosody tells it each session's presence and, after a restart of the component, who is online now.
			presence = "managed_entity";
		};
	}

-- The component's connection, XEP-0114. Its secret is the only lock, and the stream is not encrypted.
Component(component)
	component_secret = secret
	-- mod_privilege is needed on both sides: on the VirtualHost, which grants, and here, where it sees the component come.
	modules_enabled = { "privilege" }
	-- Contacts are for the company's own people; whoever is on another server is told that there is nobody.
	modules_disabled = { "s2s" }
	-- The default, kick_new, keeps a hung connection and refuses the component that was restarted, until TCP gives the old
	-- one up. With this the newest process has the stream, and the other is told `conflict`, and says so in its log.
	component_conflict_resolve = "kick_old"

-- Look at these in your own file. Nothing is to be done where it does not set them: the defaults are right. They are not
-- set here, because for the whole server, other components too, the last file read would win.
--
-- component_interfaces = { "127.0.0.1", "::1" }   -- the default: keep it on loopback. For a component on another host
--                                                 -- add one address of a network that you trust; there is no TLS
-- component_ports = { 5347 }                      -- the default: [xmpp] port of the component
-- component_stanza_size_limit = 524288            -- the default, unless s2s_stanza_size_limit is smaller. A bigger stanza
--                                                 -- closes the stream; the component never sends more than 500,000 bytes.
--                                                 -- c2s_stanza_size_limit (262144) must stay below
--
-- limits = { c2s = { rate = "10kb/s" } }          -- touches clients and servers, never a component: nothing to allow. But an
--                                                 -- employee's client that reads a long roster is slowed down by Debian's 10kb/s
-- smacks_hibernation_time = 60                    -- mod_smacks: a softphone whose network died is online until this ends. The
--                                                 -- default is 600 s; a shorter time is noticed sooner
-- modules_enabled:
--     "carbons"     every client of a person sees the whole chat
--     "offline"     loaded by itself; chat to a colleague who is not connected. Do not disable it
--     "mam"         the archive has the chat with contacts, too, under the contact's address
--     "ping"        the component asks for it to find out that its connection is alive
--     "block_strangers" (prosody-modules) wants an item with `from` for whoever writes. Those of contacts are `to`, as they
--                   should be, so it drops all chat from them: do not load it
--     "firewall"    (prosody-modules) if yours filters by roster or by host, let the component's domain pass
