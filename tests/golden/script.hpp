// A story as a file: lines that start with '>' are done to the pair, the lines below each are what
// the pair then decided. '#' lines are the title and notes. run() returns the file as it should be.
//
//   boot 1 | power 1 off | kill 1 | agent 1       the box; its power; its agent (kill -9, started
//   again) dataplane 1 kill|start                        the data plane process run 300ms time
//   passes cut ha0 [1>2] | mend ha0 [1>2]                a cable, or one direction; `all` for every
//   one link 1 lan down|up | management 1 down|up | modules 1 2 failover 1 [--force] | force 1
//   primary|backup|none | shutdown 1 stall 1 100ms | pause 1 100ms                 the main loop;
//   the whole box set 1 priority 200 | set both hold 5s | …     configuration, before boot fail 1
//   claim|withdraw|persist|dataplane|drain yes|no|silent sync stuck|free whether the backup's table
//   ever becomes equal remote 1 0 reached|lost | witness 1 answers|silent       what probes say
//   partitions 2 lacking|whole                    what both nodes found of node 2's logical systems
//   what-if 1 2 link lan down | dry-run 1 [--force]   asked at node 1, about node 2
//   status 1                                      one line on what the node
//   thinks
#pragma once

#include <string>

namespace hotpair::simulation {

std::string run_script(const std::string& text);

}  // namespace hotpair::simulation
