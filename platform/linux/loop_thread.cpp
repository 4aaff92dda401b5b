#include "platform/linux/loop_thread.hpp"

#include "platform/linux/scheduling.hpp"

namespace hotpair::sys {

Result<std::unique_ptr<LoopThread>> LoopThread::start(const std::string& name) {
  auto loop = EventLoop::create();
  if (!loop) return fail(loop.error());
  std::unique_ptr<LoopThread> made(new LoopThread(std::move(loop).value()));
  made->thread_ = std::thread([raw = made->loop_.get(), name] {
    set_thread_name(name);
    raw->run();
  });
  return made;
}

LoopThread::~LoopThread() {
  end();
}

void LoopThread::end() {
  if (!thread_.joinable()) return;
  loop_->post([this] { loop_->stop(); });
  thread_.join();
}

}  // namespace hotpair::sys
