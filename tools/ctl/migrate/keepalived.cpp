// keepalived.conf(5): instances, groups, scripts.
#include <algorithm>
#include <functional>
#include <set>
#include <utility>

#include "tools/ctl/migrate/notes.hpp"

namespace hotpair::ctl::migrate {
namespace {

class Keepalived {
 public:
  Keepalived(const std::string& name, Draft& draft) : draft_(draft), notes_(name, draft.notes) {}

  void read(const Block& file) {
    for (const Block& block : file.children) {
      const std::string& name = block.name();
      if (name == "global_defs")
        globals(block);
      else if (name == "vrrp_instance")
        instance(block);
      else if (name == "vrrp_sync_group")
        group(block);
      else if (name == "vrrp_script")
        script(block);
      else if (name == "vrrp_track_process")
        process(block);
      else if (name.starts_with("@"))
        notes_.add(block, "not carried: a line for some boxes only; what differs is in node.yaml");
      else if (name == "include")
        notes_.add(block, "not read: give that file by itself, or put it in");
      else if (name.starts_with("virtual_server") || name == "real_server")
        notes_.add(block, "not carried: load balancing is not hotpair's");
      else
        notes_.unknown(block);
    }
    finish();
  }

 private:
  using Reader = std::function<void(const Block&)>;

  void each(const Block& block, const std::map<std::string, Reader>& known) {
    for (const Block& child : block.children) {
      const auto found = known.find(child.name());
      if (found != known.end())
        found->second(child);
      else
        notes_.unknown(child);
    }
  }
  Reader noted(const std::string& why) {
    return [this, why](const Block& block) { notes_.add(block, why); };
  }
  static Reader needless() {
    return [](const Block&) {};
  }

  void garp_count(const Block& block) {
    if (const auto count = number(block.word(1), 1, 60))
      draft_.garp_count = *count;
    else
      notes_.add(block, "not carried: takeover.garp.count is 1 to 60");
  }

  void globals(const Block& block) {
    const Reader mail = noted("not carried: hotpair writes no mail; watch its metrics or journal");
    each(block,
         {{"router_id", needless()},
          {"vrrp_version", needless()},
          {"script_user", noted("not carried: checks and hooks run as hotpaird does")},
          {"enable_script_security", needless()},
          {"vrrp_garp_master_repeat", [this](const Block& b) { garp_count(b); }},
          {"vrrp_garp_interval",
           [this](const Block& b) { draft_.garp_interval = seconds(b.word(1)); }},
          {"vrrp_garp_master_delay", noted("not carried: announcements are repeated at once")},
          {"vrrp_strict", needless()},
          {"vrrp_skip_check_adv_addr", needless()},
          {"notification_email", mail},
          {"notification_email_from", mail},
          {"smtp_server", mail},
          {"smtp_connect_timeout", mail}});
  }

  void instance(const Block& block) {
    name_ = block.word(1);
    device_.clear();
    preempts_ = true;
    for (const Block& child : block.children)
      if (child.name() == "interface") device_ = child.word(1);
    if (draft_.group_name.empty() && name_.size() <= 32) draft_.group_name = name_;
    const Reader timing = noted(
        "not carried: hotpair's own timing is heartbeat: { interval: 10ms, lost_threshold: 4 }");
    const Reader transport = noted(
        "not carried: heartbeats have interfaces of their own, and management_path in node.yaml is "
        "another way");
    const Reader hook = [this](const Block& b) { notify(b); };
    const Reader routes = noted("not carried: put it in a script under takeover.hooks.primary");
    each(block, {{"interface", needless()},
                 {"state", needless()},
                 {"version", needless()},
                 {"accept", needless()},
                 {"strict_mode", needless()},
                 {"native_ipv6", needless()},
                 {"dont_track_primary", needless()},
                 {"virtual_router_id", [this](const Block& b) { router_id(b); }},
                 {"priority", noted("belongs to one box: priority in its node.yaml")},
                 {"advert_int", timing},
                 {"lower_prio_no_advert", timing},
                 {"garp_master_repeat", [this](const Block& b) { garp_count(b); }},
                 {"garp_master_delay", noted("not carried: announcements are repeated at once")},
                 {"garp_master_refresh",
                  noted("not carried: neighbours are asked after a takeover instead")},
                 {"nopreempt", [this](const Block&) { preempts_ = false; }},
                 {"preempt_delay", [this](const Block& b) { draft_.hold = seconds(b.word(1)); }},
                 {"authentication",
                  noted("not carried: 'hotpair setup' makes a password that seals every frame")},
                 {"virtual_ipaddress", [this](const Block& b) { addresses(b); }},
                 {"virtual_ipaddress_excluded", [this](const Block& b) { addresses(b); }},
                 {"virtual_routes", routes},
                 {"virtual_rules", routes},
                 {"track_interface", [this](const Block& b) { track_interfaces(b); }},
                 {"track_script", [this](const Block& b) { track_scripts(b); }},
                 {"track_process", [this](const Block& b) { track_scripts(b); }},
                 {"use_vmac", [this](const Block& b) { vmac(b); }},
                 {"vmac_xmit_base", needless()},
                 {"unicast_src_ip", transport},
                 {"unicast_peer", transport},
                 {"mcast_src_ip", transport},
                 {"smtp_alert", noted("not carried: hotpair writes no mail")},
                 {"notify_master", hook},
                 {"notify_backup", hook},
                 {"notify_fault", hook},
                 {"notify_stop", noted("not carried: leaving is a change to backup's hook")},
                 {"notify", hook}});
    (preempts_ ? draft_.override_ : draft_.nopreempt) = true;
  }

  void router_id(const Block& block) {
    const auto id = number(block.word(1), 0, 1023);
    if (!id) return notes_.add(block, "not a number from 1 to 255; set group_id");
    if (!draft_.group_id)
      draft_.group_id = *id;
    else if (*draft_.group_id != *id)
      notes_.add(block, "the pair has one number: group_id " + std::to_string(*draft_.group_id));
  }

  // "192.0.2.1/24 dev eth0 label eth0:1": what stands beside the device is noted.
  void addresses(const Block& block) {
    for (const Block& child : block.children) {
      std::string device = device_, more;
      for (std::size_t i = 1; i < child.words.size(); ++i) {
        if (child.words[i] == "dev")
          device = child.word(++i);
        else
          more += (more.empty() ? "" : " ") + child.words[i];
      }
      const std::string address = with_prefix(child.name());
      if (address.empty() || device.empty()) {
        notes_.add(child, "not carried: no address, or no interface for it");
        continue;
      }
      if (!more.empty()) notes_.add(child, "carried without '" + more + "'");
      if (child.name().find('/') == std::string::npos)
        notes_.add(child, "carried as " + address + ": give it the prefix length of its network");
      auto& all = draft_.addresses[device];
      if (std::find(all.begin(), all.end(), address) == all.end()) all.push_back(address);
    }
  }

  void vmac(const Block& block) {
    draft_.virtual_mac[device_] = true;
    notes_.add(block, "carried as virtual_mac on " + device_ + "; the MAC address is another one");
  }

  void track_interfaces(const Block& block) {
    for (const Block& child : block.children) {
      if (child.words.size() > 1)
        notes_.add(child, "carried without its weight: a lost link counts by its speed");
      draft_.tracked.push_back(child.name());
    }
  }
  void track_scripts(const Block& block) {
    for (const Block& child : block.children) {
      used_.insert(child.name());
      if (child.words.size() > 1)
        notes_.add(child, "carried without its weight: a failed module counts as one");
    }
  }

  void script(const Block& block) {
    Check check;
    check.line = block.line;
    check.name = block.word(1);
    const auto timing = [&](const char* key) {
      return [&check, key](const Block& b) { check.timing[key] = seconds(b.word(1)); };
    };
    const auto count = [&](const char* key) {
      return [&check, key](const Block& b) { check.timing[key] = b.word(1); };
    };
    each(block, {{"script", [&](const Block& b) { check.command = command(b, 1); }},
                 {"interval", timing("interval")},
                 {"timeout", timing("timeout")},
                 {"rise", count("rise")},
                 {"fall", count("fall")},
                 {"weight", noted("not carried: a failed module counts as one")},
                 {"user", noted("not carried: checks run as hotpaird does")},
                 {"init_fail",
                  noted("not carried: a check is 'unknown', and healthy, before its first run")}});
    if (check.command.empty()) return notes_.add(block, "not carried: it has no script");
    draft_.checks.push_back(std::move(check));
  }
  void process(const Block& block) {
    notes_.add(
        block,
        "not carried: name its unit, modules: [{ slot: N, kind: worker, unit: NAME.service }]");
  }

  // keepalived splits a quoted command at spaces; so do we, without a shell.
  static std::vector<std::string> command(const Block& block, std::size_t from) {
    std::vector<std::string> words;
    for (std::size_t i = from; i < block.words.size(); ++i) {
      std::string word;
      for (const char c : block.words[i] + " ") {
        if (c != ' ')
          word += c;
        else if (!word.empty())
          words.push_back(std::exchange(word, {}));
      }
    }
    return words;
  }

  // notify gets three more words and the priority; the others none (keepalived.conf(5), notify
  // scripts).
  void notify(const Block& block) {
    const std::vector<std::string> words = command(block, 1);
    if (words.empty()) return notes_.add(block, "not carried: it names no script");
    if (words.front().find("primary-backup.sh") != std::string::npos)
      return notes_.add(block,
                        "not needed: sessions are in the backup's kernel before it takes over");
    const std::string& name = block.name();
    const char* const kind = in_group_ ? "GROUP" : "INSTANCE";
    if (name == "notify_master")
      draft_.hooks["primary"].push_back(words);
    else if (name == "notify_backup")
      draft_.hooks["backup"].push_back(words);
    else if (name == "notify_fault")
      draft_.hooks["fault"].push_back(words);
    else
      for (const auto& [role, state] :
           {std::pair{"primary", "MASTER"}, {"backup", "BACKUP"}, {"fault", "FAULT"}}) {
        std::vector<std::string> with = words;
        for (const std::string& word : {std::string(kind), name_, std::string(state)})
          with.push_back(word);
        draft_.hooks[role].push_back(with);
      }
  }

  void group(const Block& block) {
    in_group_ = true;
    name_ = block.word(1);
    if (name_.size() <= 32) draft_.group_name = name_;
    const Reader hook = [this](const Block& b) { notify(b); };
    each(block, {{"group", needless()},
                 {"global_tracking", needless()},
                 {"track_interface", [this](const Block& b) { track_interfaces(b); }},
                 {"track_script", [this](const Block& b) { track_scripts(b); }},
                 {"notify_master", hook},
                 {"notify_backup", hook},
                 {"notify_fault", hook},
                 {"notify", hook},
                 {"smtp_alert", noted("not carried: hotpair writes no mail")}});
    in_group_ = false;
  }

  void finish() {
    const auto unused = [this](const Check& check) { return !used_.contains(check.name); };
    for (const Check& check : draft_.checks)
      if (unused(check))
        notes_.add({check.line, {"vrrp_script", check.name}, {}, false},
                   "not carried: nothing tracks it");
    std::erase_if(draft_.checks, unused);
    if (draft_.override_ && draft_.nopreempt)
      notes_.add({1, {"nopreempt"}, {}, false},
                 "some instances preempt and some do not: all move together, and override is set");
  }

  Draft& draft_;
  Notes notes_;
  std::set<std::string> used_;
  std::string name_, device_;
  bool preempts_ = true, in_group_ = false;
};

}  // namespace

void read_keepalived(const Block& file, const std::string& name, Draft& draft) {
  Keepalived(name, draft).read(file);
}

}  // namespace hotpair::ctl::migrate
