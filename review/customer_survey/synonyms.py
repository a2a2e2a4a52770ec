"""Words of two languages that are read, not shown: what says nothing in a comment, and single characters that do."""

# Single characters are mostly grammar; these say something about a service.
TELLING = frozenset("慢快贵差好错久催等乱脏吵推拖冷急")

# "Very slow" is slow: a word of degree before one of these is left away.
DEGREES = frozenset("很太真超挺")
PARTICLES = DEGREES | frozenset("的地得了着过吗呢吧啊呀也都就还又才被把给")

_CHINESE = """
我们 你们 您们 他们 自己 大家 这个 那个 这些 那些 这里 那里 这样 那样 这么 那么 什么 怎么 怎样 哪里 为什么
不是 没有 真的 非常 比较 特别 十分 有点 一点 一些 一下 一个 一次 一直 已经 可以 可能 应该 需要 希望 觉得
感觉 认为 知道 对于 或者 以及 但是 不过 而且 因为 所以 如果 虽然 然后 后来 之后 以后 之前 时候 现在 今天
昨天 明天 最后 终于 还是 就是 只是 只有 每次 这次 上次 下次 等等 谢谢 感谢 里面 方面 东西 事情 情况
"""
_ENGLISH = """
a an the and or but if so as at by for from in into of off on onto to up with without about after before then than i me
my we us our you your he him his she her it its they them their this that these those there here who whom which what
when where why how is am are was were be been being do does did done have has had having will would shall should can
could may might must not no nor yes too very just also only really quite rather much many more most some any all each
every both few other such own same again once still even ever never always get got go went gone make made say said told
tell one two three t s d ll ve re m don doesn didn isn wasn won please thank thanks
"""
STOPS = frozenset(_CHINESE.split()) | frozenset(_ENGLISH.split())
