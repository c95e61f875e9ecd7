"""The fixed words of the strategy language, Chinese and English: a closed list. Whatever is neither here nor in the
catalog is an unknown name, never skipped. Words are written in simplified, lower-case form; English ones match by stem."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple


class Word(NamedTuple):
    """A fixed word: its kind (what the patterns in phrases.py speak about) and its value."""

    kind: str
    value: Any = None


_COMPARISONS = {
    ">": "大于 超过 高于 多于 高过 超出 逾 多过 大过 > 长于 晚于 在…之后|more than|greater than|over|above|exceed|"
    "higher than|longer than|larger than|bigger than|beyond|in excess of|later than|upwards of|rise above|go above|go over",
    ">=": "大于等于 大于或等于 不少于 不低于 不小于 至少 最少 起码 >= ≥ 达到 达 不短于 不早于 满 已满|at least|not less than|"
    "no less than|no fewer than|not fewer than|not below|not under|greater than or equal to|a minimum of|minimum of|reach|"
    "no lower than|not lower than|no later than or equal",
    "<": "小于 少于 低于 不足 不到 不满 未满 未达到 未达 没到 没达到 没有达到 少过 < 短于 早于|less than|fewer than|below|under|lower than|"
    "shorter than|smaller than|earlier than|short of|drop below|fall below|go below",
    "<=": "小于等于 小于或等于 不超过 不多于 不高于 不大于 至多 最多 顶多 <= ≤ 不长于 不晚于 未超过 没有超过 没超过|at most|no more than|"
    "not more than|up to|not over|not above|less than or equal to|a maximum of|maximum of|no higher than|not higher than|"
    "no longer than|not longer than|not exceed|no greater than|not greater than",
    "==": "等于 恰好 正好 刚好 恰恰 = ==|equal|equal to|exactly|precisely",
    "!=": "不等于 != ≠|not equal to|not equal|other than",
}

_AFTERWORDS = {
    ">=": "以上 及以上 或以上 之上 及更多 或更多 或更高|or more|or above|or over|or higher|or longer|and above|and over|and more|"
    "or greater",
    "<=": "以下 及以下 或以下 之下 或更少 或更低|or less|or fewer|or below|or under|or lower|or shorter|and below",
}

_FUNCTIONS = {
    "sum": "总额 总和 合计 总计 累计 总 总量 总共 一共 加起来|total|sum|in total|altogether|cumulative|the sum of",
    "avg": "平均 平均值 均值 的平均值|average|mean|avg|averaged|on average",
    "max": "最高 最大 最大值 最高值 峰值|highest|maximum|max|peak|largest|biggest",
    "min": "最低 最小 最小值 最低值|lowest|minimum|min|smallest",
    "distinct": "不同 不同值 种类|distinct|different|unique|number of different|number of distinct",
    "last": "最新 最新一次 最近一次 最后一次 上一次 上次 最新值|latest|newest|most recent|last value of|the latest|the newest|the most recent|the last|last",
}

_PLAIN: dict[str, str] = {
    # quantities
    "A": "|a|an",
    "ON": "|on",
    "DE": "的",
    "SHARE": "流量 比例|traffic|audience",
    "HALF": "半|half a|half an|half",
    "HALFSHARE": "一半 一半以上|by half",
    "PERCENTOF": "百分之",
    "TENTHS": "成",
    "GE": "个",
    "TIMES": "次 回 遍 趟|times|time",
    "ONCE": "|once",
    "TWICE": "|twice",
    "THRICE": "|thrice",
    "MEASURE": "屏 条 封 笔 单 件 页 张 篇 轮 场 份 台 位 名 人次 项 部 种|screens|readings|measurements|records|occasions|"
    "counts|instances|kinds",
    # windows
    "LAST": "过去 最近 近 过去的 最近的 近来 此前 之前的 先前|in the last|in the past|over the last|over the past|during the last|"
    "during the past|within the last|within the past|for the last|for the past|the last|the past|last|past|the latest|"
    "in the latest|in the most recent|the most recent|recent|trailing|preceding|the preceding|of the last|of the past|"
    "from the last|in last|over last",
    "INSIDE": "内 以内 之内 里 中 当中 之中 期间内 时间内",
    "WITHIN": "|within|in under|inside|inside of",
    "IN": "|in|during|in a period of|over a period of|throughout",
    "FORTIME": "|for|for at least|for more than|for over|for up to",
    "THIS": "本 这 当前 今|this|current",
    "CUMULATIVE": "累计 总共 一共|in total|altogether|cumulative",
    "ALLTIME": "有史以来 历史上 历史 历来 历史累计 全部历史|ever|all time|of all time|in all history|to date|so far|lifetime",
    "AGO": "|ago|earlier",
    "SINCE": "距 距离 离 距上次 距离上次 自上次 离上次 自从上次|since|since the last|since their last|since his last|since her last|"
    "since last",
    # runs
    "STREAK": "连续 连着 一连 接连 连续不断 连续出现|consecutive|consecutively|in a row|running|straight|successive|back to back|on end",
    "EVERYPER": "每天都 每日都 每晚都 每周都 每月都 天天 都有|on each of|every single",
    # truth
    "NEG": "没 没有 未 不 未曾 不曾 没能 未能 无 并未 尚未 仍未 还没 还没有 仍没有 一直没 一直未 一直没有 都没 都没有 都未 没再 未再 没有再 "
    "不再 都不 均未 均没有 并没有 还未 迟迟未 迟迟没有|not|no|don't|doesn't|didn't|hasn't|haven't|hadn't|isn't|aren't|wasn't|weren't|"
    "won't|can't|cannot|fail to|failed to|no new|stop|not any|have not|has not|had not|do not|does not|did not|is not being|"
    "has still not|is still not|still not|still no|has no|have no|had no|there is no|there was no|there has been no|there are no|"
    "not be|not been|has not been|have not been|don't have any|does not have any|no longer",
    "NEVER": "从未 从没 从来没有 从来没 从不 从来不 从未曾|never|has never|have never|had never|never ever",
    "WITHOUT": "期间没有 期间未 期间没 其间没有 其间未 期间无 中间没有 而没有 而未 却未 却没有 但期间没有|without|with no|without any|"
    "and without|but without|with no more|lack",
    "DURING": "期间 其间 在此期间|meanwhile|in between|in the meantime",
    "NOTW": "并非 非 不满足 不属于以下 不成立|it is not the case that|not the case that",
    "ONEOF": "属于 是其中之一|is one of|are one of|one of|is in|is any of",
    "NOTONEOF": "不属于|is not one of|isn't one of|not one of|is none of|is not in|not in|is not any of",
    "COP": "是 为|is|are|was|were|be|been|being|equals|become|becomes|became",
    "COPNEG": "不是 不为|is not|isn't|are not|aren't|was not|wasn't|were not|be not",
    "TRUE": "真 “真”|true|yes",
    "FALSE": "假 “假”|false",
    "HAPPEN": "发生 出现 产生 发生了 出现了|happen|happens|happened|occur|occurred|take place|took place|there is an event",
    "EXISTS": "有 有过 存在 拥有过|have|has|had|there is|there are|there was|there were|there has been",
    "PERFECT": "过 了",
    "RIGHTNOW": "此刻|right then|at that instant",
    "FUTURE": "未来 将来|the next|in the next|within the next|over the next",
    # order
    "AFTER": "后 之后 以后 过后 完后 后的|after|following",
    "BEFORE": "前 之前 以前|before|prior to|ahead of",
    "NEXT": "再 然后 接着 随后 而后 紧接着 之后再 后再 → -> 并随后|and then|followed by|then|afterwards|subsequently|and subsequently|"
    "and afterwards|and later|later",
    "FIRST": "先 首先|first",
    "UNFOLLOWED": "|not followed by|is not followed by|isn't followed by|without being followed by",
    # connectives
    "AND": "且 并且 同时 而且 以及 又 和 与 及 并 加上 但 但是 却 而 且同时 并同时 同时又 另外 此外 & &&|and|but|while|as well as|"
    "and also|but also|and at the same time|whilst|yet|and they|and he|and she|plus|&",
    "OR": "或 或者 或是 抑或 要么 或者是 亦或 还是 || |or|or else|or if|or when",
    "COMMA": ",",
    "LIST": "、",
    "STOP": "。 ; ! .",
    "LPAR": "(",
    "RPAR": ")",
    "LBRK": "[ 【",
    "RBRK": "] 】",
    "UNLESS": "除非|unless|except when|except if|provided they are not",
    "EXCEPT": "除 除了 除去 排除|except|except for|excluding|other than|apart from",
    "EXCEPTEND": "外 以外 之外",
    "BOTH": "都 均 全部 全都 皆|both|either|all|each time|every time each",
    "ALLOF": "全部满足|all of",
    "ANYOF": "任一满足|any of",
    "FIT": "满足 符合|satisfy|satisfies|meet|fulfil",
    # sentence
    "THEN": "就 则 那么 便 那就 就要 就会 则要 就应 就去 就给 就向 则给 则向 就对 => 此时就|the hub will|we should|we will",
    "IF": "如果 若 假如 当 要是 一旦 只要 每当 凡 凡是 倘若 如 若是|if|when|whenever|once|as soon as|every time|each time|in case|"
    "anytime|any time|the moment|provided|provided that",
    "WHENEND": "时 的时候 时候 的话 之时",
    "FOR": "对 针对 对于 面向 针对于|for|among|to|targeting",
    "GIVE": "给 向 替",
    "WHO": "|who|that|which|whose|where",
    "PASSIVE": "被|by|been",
    "REST": "其他 其它 其余|other|others|the rest",
    # near
    "NEAR": "附近 周边 周围 旁边 靠近 临近 接近 邻近 路过 身边|near|close to|nearby|around|in the vicinity of|next to|in the neighbourhood of|"
    "in the neighborhood of|by the side of|near to|comes near|come near|gets near|get near",
    "DISTANCE": "距离 距 离 相距|from|away from|of|away|off|distance to|distance from|the distance to",
    # change
    "RISE": "上升 增加 增长 突增 激增 上涨 涨 提高 提升 多了 增多 升高 飙升 涨了 猛增 暴增 大增|rise|rose|risen|increase|grow|grew|grown|spike|jump|"
    "surge|climb|go up|went up|is up|up|rise by|increase by|up by|spike by|grow by|jump by|surge by|go up by|climb by|soar|soar by",
    "DROP": "下降 减少 降低 下跌 跌 少了 下滑 降 降了 跌了 骤降 锐减 缩减 回落 大跌|drop|fall|fell|fallen|decrease|decline|go down|went down|"
    "is down|down|drop by|fall by|decrease by|decline by|down by|go down by|shrink|shrink by|plunge|plunge by|slump|slump by",
    "DOUBLE": "翻倍 翻番 翻一番|double|doubled",
    "HALVE": "减半 腰斩|halve|halved",
    "VERSUS": "比 较 相比 对比 相较于 相较 比起 同比于 与 环比于 相对|compared with|compared to|versus|vs|vs.|than|against|relative to|over|"
    "in comparison with",
    "SINCEVALUE": "|from",
    "CHAIN": "环比|period over period|period on period",
    "WEEKLY": "周环比|week over week|week on week|wow",
    "MONTHLY": "月环比|month over month|month on month|mom",
    "DAILY": "日环比|day over day|day on day|dod",
    "YEARLY": "同比|year over year|year on year|yoy",
    "PREVIOUS": "上 上一 上个 前一 前 此前 之前 前一个 上一个 再前|the previous|previous|the prior|prior|the preceding|last|the last|"
    "the one before|the same period before|the period before",
    "THEBEFORE": "上期 前期 上一期|the period before|the week before|the month before|the day before|previous period|the previous period",
    "COUNTWORD": "次数 数量 量 数 笔数 单数 总次数 总数 个数 数目 频次 频率次数|number of|the number of|count of|count|amount of times|volume|"
    "how often|how many times",
    "SINGLE": "单笔 单次 每笔 每次 一次性 一笔|single|each|a single|any single",
    # dates
    "MONTHOF": "当月 那个月 那月 的月份 月份 所在月|month|the month of|in the month of|during the month of|month of",
    "DAYOF": "当天 当日 那天 那一天 这天|the day of|on the day of|day of|on day of",
    "TODAY": "今天 今日|today",
    "START": "起 开始 起算|onwards",
    "UNTILDAY": "起至当天 至当天|until that day",
    # ranges
    "BETWEEN": "介于 处于|between|in the range of|ranging from|ranges from",
    "TO": "到 至 ~ 与…之间|to|through|until|till",
    "BETWEENEND": "之间",
    "MINUS": "-",
    "PLUS": "+",
    "SLASH": "/",
    "COLON": ":",
    "EACH": "每 每一|per|every|each|once every",
    "EACHONE": "每人 每个客户 每位客户 每名客户 每客户 每个用户 每位用户 每用户 每个会员 每位会员 每台设备 每个设备 同一客户 同一用户 同一人 每个人 单个客户|"
    "per customer|per person|per user|per member|each customer|per device|for each customer|per head|per subject|for the same customer|"
    "to the same customer",
    "ONLY": "只 仅 仅仅 只有 只是|only|just|merely",
    "BARELY": "|barely",
    "FILLERDAY": "次日 第二天 翌日 隔天|the next day|next day|the next morning|the following day|the following morning",
    "ANY": "任一 任意 任何 某 某个 其中一 任意一个 任何一个|any|some|one of the",
    "RELATED": "所 名下 名下的 旗下|related by|linked by|via",
    # guards
    "QUIET": "不打扰 不发 不发送 免打扰 勿扰 不推送 不外呼 不触达 不要打扰 不要发 不要发送 不联系 静默 不再发送 不再发 不打电话 不再打扰 禁止发送 不发消息 "
    "不发信息 不发任何消息 不发送消息|do not disturb|don't disturb|no messages|no message|quiet hours|quiet|quiet time|send nothing|"
    "nothing goes out|do not send|don't send|do not contact|don't contact|no sending|no contact|silent|do not message|"
    "don't message|no calls|nothing is sent|do not send anything|don't send anything|no outreach",
    "DEFERMODE": "推迟到结束后 推迟 顺延 延后|defer|deferred until after|deferred|deferred until it ends",
    "DROPMODE": "直接丢弃 丢弃|drop instead|dropped|discard",
    "COOL": "冷却 冷却期 冷却时间 静默期|cooldown|cool down|cooling off|cool-down|cooldown of|a cooldown of|cool down for|cooling-off period|"
    "cooldown period|cooldown period of",
    "NOREPEAT": "不重复 不再触发 不再重复 不重复触发 不重复发送 不得重复 不能重复 不重复执行 不再次触发 不要重复 不再执行|do not repeat|don't repeat|no repeat|"
    "no repeats|not again|never again|not more than once per|without repeating|do not fire again|don't fire again|not repeated|"
    "do not trigger again|don't trigger again|no second firing|not repeat",
    "BUDGET": "预算 总预算 总量不超过 总共最多 总计最多 全部最多 合计最多|budget|a budget of|budget of|total budget|with a budget of",
    "INALL": "|in all|in total|overall|deliveries|sends|messages",
    "CONSENT": "需同意 须同意 已同意 需要同意 需获同意 仅限同意 仅限已同意|with consent to|with consent for|consent to|consent for|"
    "requires consent to|requires consent for|only with consent to|only with consent for|given consent to",
    "ROLLOUT": "灰度 先灰度 试点 先试点 试运行 先试运行 放量 小流量 先跑 先从 先对 先在 先给 先上 灰度发布 开始灰度 先灰度发布 灰度到 灰度放量 先放量|"
    "roll out to|rollout|roll it out to|roll out|start with|start on|start at|begin with|canary|run it for|run it on|run for|run on|"
    "rollout to|canary at|canary on|launch to|launch on|try it on|test it on|start from|ramp from|start it on|release to",
    "FULL": "全量 全量上线 全量发布 直接全量|everyone|full rollout|to everyone",
    "HOLDOUT": "对照 对照组 留 留出 作为对照 作对照 做对照 保留 留作对照|holdout|hold out|held out|control group|as control|as a control group|"
    "as holdout|control|keep|hold back|as a holdout|as the control group",
    "NOHOLDOUT": "不留对照 不设对照 无对照 不留对照组 不设对照组|with no holdout|no holdout|without holdout|without a holdout|no control group|"
    "without a control group|with no control group",
    "VARIANT": "分组 方案|variant",
    "WEIGHT": "权重|weight",
    "PARAMS": "参数|with parameters|parameters|params|with params",
    "TASK": "任务 人工任务 安排任务 执行任务|task|the task|do the task|do task",
    "VERIFY": "看 验证 观察 衡量 跟踪 追踪 考核 检验 以 目标 目标是 目标为 目标: 验证方式 效果看 成功标准 成功指标 统计 之后看 再看 检查|verify by|verify|"
    "measure|measured by|success is|success means|check|check whether|track|verified by|judge by|judged by|verify with|evaluate by|"
    "verify that|goal is|the goal is|goal|verify whether|check if|see whether|see if|verify on|success",
    "ASTEST": "为准 作为成功标准 为目标 为成功标准|as success|as the goal",
    "WHETHER": "是否 有没有 有无 是不是|whether|whether they",
    # vague words are known, so that the answer can be a question instead of "unknown name"
    "VAGUE": "大约 大概 左右 经常 频繁 很少 偶尔 多次 几次 好几次 若干 很久 长时间 长期 很多 较多 较少 太多 太少 不久 最近一段时间 一段时间 短时间 "
    "近期 反复 屡次 时常 常常 差不多 几天 几个 数次 数天 久|about|approximately|roughly|often|frequently|rarely|seldom|several|"
    "several times|many|many times|few times|a few|a few times|a lot|sometimes|soon|recently|long|for a long time|a while|"
    "for a while|repeatedly|regularly|some time|some times|a couple of|multiple times|multiple",
    # words without weight of their own
    "FILLER": "请 帮我 的 地 得 在 从 由 于 使 让 那 该 其 他 她 它 他们 她们 已 已经 曾 曾经 也 还 仍 仍然 一直 始终 之 们 我们 我 你 您 你们 "
    "进行 一下 着 所有 全体 进入 处在 处于 到了 出 就是 想 想要 要 希望 需要 会 能 可以 请帮我 麻烦 来 去 呢 吧 啊 哦 将 将会 把 又 是的 任务中 用 有的 "
    "这个 那个 这些 那些 上述 策略 规则 设置 创建 建立 自己 情况下 情况 条件 以来 时间 时长为 的人 者 群体 人群 名 位 则为 通过|"
    "please|a|an|the|help me|their|his|her|its|my|our|your|they|he|she|it|we|i|i'd|i'll|we'd|us|'s|'|'ve|'re|'ll|'d|'m|want|would|"
    "like|should|could|can|will|shall|have|has|had|do|does|did|been|being|already|also|so|just|now|on|at|of|with|whole|such|even|"
    "stay|remain|still|there|anyone|someone|who is|who are|ever since|these|those|this|any|value|worth|as|them|him|"
    "event|events|time|make|made|go|goes|again|somebody|every|each|period|let|let's|me|you|new|set up|create|strategy|rule|case|passed|have passed|has passed|elapsed|gone by",
}

_VERBS = (
    "发 发送 推送 安排 触发 通知 执行 派发 发放 赠送 送 送出 送上 提醒 拨打 打 打电话 派 派单 创建 生成 开 开具 启动 提供 推荐 给予 免 转 转接 转给 转交 升级 "
    "邀请 邀约 预约 发起 发出 下发 推 弹出 弹 展示 做 联系 调度 分配 指派 加 加入 打上 奖励 补偿 投放 回访 呼叫 告知 上报 派遣 建议 暂停 停止 打扰 触达 发一条 发一张 "
    "发一封 发个 发条 发张 补发 群发 弹窗 关怀 致电 预留 调整|"
    "send|schedule|trigger|notify|arrange|push|offer|give|issue|call|email|text|remind|make|place|create|open|start|run|execute|"
    "perform|launch|dispatch|assign|escalate|invite|book|alert|show|display|deliver|grant|contact|recommend|do|apply|add|award|"
    "hand over|transfer|receive|get|tell|message|ring|phone|raise|suggest|pause|reserve|gift|reward|present|inform|set up|request"
)
VERBS = frozenset(_VERBS.replace("|", " ").split())

DAYPARTS = {
    "凌晨": "am", "早上": "am", "早晨": "am", "上午": "am", "清晨": "am", "早": "am",
    "中午": "noon", "下午": "pm", "傍晚": "pm", "晚上": "pm", "晚": "pm", "夜里": "pm", "夜间": "pm", "晚间": "pm", "am": "am",
    "a.m.": "am", "pm": "pm", "p.m.": "pm", "noon": "noon", "midnight": "midnight", "半夜": "midnight", "午夜": "midnight",
}  # fmt: skip

MORE_UNITS = {
    "晚": "night", "夜": "night", "个晚上": "night", "晚上": "night", "nights": "night", "night": "night", "evenings": "night",
    "度": "℃", "摄氏度": "℃", "°c": "℃", "celsius": "℃", "degrees": "℃", "个月": "month", "个小时": "h", "个钟头": "h",
    "个星期": "week", "个礼拜": "week", "礼拜": "week", "fortnight": "fortnight", "fortnights": "fortnight", "季度": "quarter",
    "quarter": "quarter", "个季度": "quarter", "刻钟": "quarterhour", "percent": "percent", "per cent": "percent", "pct": "percent",
    "百分点": "point", "percentage points": "point", "点": "clock", "点钟": "clock", "o'clock": "clock", "天": "d", "日": "d",
    "分": "min", "bucks": "USD", "月": "month", "年": "year", "周": "week", "岁": "岁", "微秒": "us", "microseconds": "us",
    "microsecond": "us", "years old": "岁",
}  # fmt: skip

TIME_MICROS_UNITS = ("ms", "s", "min", "h", "d", "week", "month", "year")


def _split(words: str) -> Iterator[str]:
    zh, _, en = words.partition("|")
    yield from (w for w in zh.split() if "…" not in w)
    yield from (w for w in en.split("|") if w.strip())


def fixed_words() -> Iterator[tuple[str, Word]]:
    """Every fixed word with what it is."""
    for kind, table in (("CMP", _COMPARISONS), ("POSTCMP", _AFTERWORDS), ("FUNCTION", _FUNCTIONS)):
        for value, words in table.items():
            yield from ((w, Word(kind, value)) for w in _split(words))
    for kind, words in _PLAIN.items():
        yield from ((w, Word(kind, "en" if w.isascii() else None)) for w in _split(words))
    yield from ((w, Word("DAYPART", v)) for w, v in DAYPARTS.items())
    yield from ((w, Word("VERB")) for w in _split(_VERBS))
