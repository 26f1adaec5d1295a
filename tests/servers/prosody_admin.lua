-- What the tests do to accounts and rosters of a running Prosody. prosody_shell.py calls it inside the server: a
-- function's name and its arguments as a JSON object go in, JSON comes out.

local json = require "util.json"
local rosters = require "core.rostermanager"
local users = require "core.usermanager"

local calls = {}

function calls.register(given)
	for user, password in pairs(given.accounts) do
		if not users.user_exists(user, given.host) then
			assert(users.create_user(user, password, given.host))
		end
	end
end

function calls.roster(given)
	local items = {}
	for jid, item in pairs(rosters.load_roster(given.user, given.host)) do
		if jid then -- the key `false` has the metadata
			local groups = {}
			for group in pairs(item.groups or {}) do
				groups[#groups + 1] = group
			end
			items[jid] = {
				name = item.name;
				subscription = item.subscription;
				ask = item.ask;
				groups = table.concat(groups, "\n");
			}
		end
	end
	return items
end

-- `item` is nil for one to be removed. Clients that are online are told; nothing else happens, as with ejabberd's API.
function calls.put(given)
	local roster, item = assert(rosters.load_roster(given.user, given.host)), nil
	if given.item then
		item = { name = given.item.name; subscription = given.item.subscription; groups = {} }
		for group in given.item.groups:gmatch("[^\n]+") do
			item.groups[group] = true
		end
	end
	roster[given.jid] = item
	assert(rosters.save_roster(given.user, given.host, roster, given.jid))
	rosters.roster_push(given.user, given.host, given.jid)
end

return function(name, given)
	return json.encode(calls[name](json.decode(given)) or {})
end
