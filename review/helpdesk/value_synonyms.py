"""The words that stand in the cells of ticket systems' files, in either language: data to be read, never shown."""

from collections.abc import Iterable, Mapping
from fractions import Fraction

from review.domain.records import Csat, TicketStatus
from review.infra.sheets import plain


def words(told: str) -> tuple[str, ...]:
    """The words of a line, parted by bars."""
    return tuple(word.strip() for word in told.split(" | "))


def lookup(table: Mapping[object, Iterable[str]]) -> dict[str, object]:
    """Each word without width, case and spaces, to what it means."""
    return {plain(word): meaning for meaning, words in table.items() for word in words}


# Nothing was said.
BLANK = frozenset(
    plain(word)
    for word in (
        *("", "-", "--", "---", "—", "——", "–", "/", "\\", "N/A", "#N/A", "NA", "null", "none", "nil", "undefined"),
        *("无", "暂无", "空", "(空)", "未知", "[]", "{}", "NaN", "0000-00-00", "0000-00-00 00:00:00"),
    )
)
YES = frozenset(map(plain, ("true", "yes", "y", "1", "是", "有", "√", "✓", "真", "已投诉", "投诉", "complaint", "t")))
NO = frozenset(map(plain, ("false", "no", "n", "0", "否", "无", "没有", "×", "假", "未投诉", "非投诉", "f", "不是")))

COMPLAINT = ("投诉", "complaint", "complain", "客诉")
NO_COMPLAINT = ("非投诉", "无投诉", "未投诉", "no complaint", "not a complaint", "non-complaint")

# Rows that are no tickets but what a program or a person added up below (or above) them.
TOTALS = frozenset(
    plain(word)
    for word in (
        *("合计", "总计", "小计", "共计", "总和", "汇总", "平均", "平均值", "均值", "总平均", "全部", "合计/平均"),
        *("Total", "Totals", "Grand total", "Subtotal", "Sub-total", "Sum", "Average", "Mean", "Summation", "Overall"),
    )
)

STATUS: Mapping[str, object] = lookup(
    {
        TicketStatus.SOLVED: (
            *("是", "yes", "true"),
            *("solved", "closed", "resolved", "completed", "complete", "done", "finished", "fulfilled"),
            *(
                "已解决",
                "已关闭",
                "已完成",
                "完成",
                "已完结",
                "完结",
                "已结单",
                "结单",
                "已办结",
                "办结",
                "关闭",
                "解决",
            ),
            *("已结束", "结束", "已处理", "处理完成", "已归档完成", "已评价", "待评价", "已回访", "已确认", "自动关闭"),
        ),
        TicketStatus.OPEN: (
            *("否", "no", "false"),
            *("new", "open", "pending", "hold", "on hold", "on-hold", "onhold", "in progress", "escalated", "reopened"),
            *("assigned", "waiting", "waiting on customer", "unassigned", "active", "in process", "processing"),
            *(
                "新建",
                "新工单",
                "待处理",
                "处理中",
                "受理中",
                "已受理",
                "待受理",
                "待分配",
                "未分配",
                "待领取",
                "挂起",
                "已挂起",
            ),
            *(
                "暂停",
                "未解决",
                "未关闭",
                "未完成",
                "进行中",
                "等待回复",
                "待回复",
                "尚未受理",
                "解决中",
                "等待客户",
                "重新打开",
            ),
            *(
                "已重开",
                "重开",
                "打开",
                "开启",
                "待确认",
                "待审核",
                "已分配",
                "已派单",
                "待派单",
                "跟进中",
                "已升级",
                "草稿",
            ),
        ),
        "deleted": ("deleted", "已删除", "删除", "trashed", "回收站", "soft_deleted"),
        "spam": ("spam", "垃圾", "垃圾工单", "suspended", "骚扰"),
        "merged": ("merged", "已合并", "合并"),
        "archived": ("archived", "已归档", "归档"),
        "cancelled": ("cancelled", "canceled", "已取消", "取消", "已撤销", "撤销", "已作废", "作废", "已撤回", "void"),
    }
)

# What customers say, with the points (0 to 100) it counts: words of five steps count like the stars they stand for.
CSAT: Mapping[str, object] = lookup(
    {
        (Csat.GOOD, 100): (
            *("good", "great", "excellent", "happy", "very satisfied", "very good", "thumbs up", "like", "positive"),
            *(
                "非常满意",
                "很满意",
                "十分满意",
                "好评",
                "优",
                "优秀",
                "赞",
                "非常好",
                "good with comment",
                "👍",
                "😀",
                "😊",
            ),
            *("good without comment", "received good"),
        ),
        (Csat.GOOD, 80): ("satisfied", "满意", "比较满意", "较满意", "基本满意", "良", "良好", "好"),
        (Csat.NEUTRAL, 60): ("一般", "fair", "普通", "尚可", "average"),
        (Csat.NEUTRAL, 50): (
            *("neutral", "okay", "ok", "middling", "中评", "中", "中性", "neither satisfied nor dissatisfied", "😐"),
            *("mixed", "so so", "so-so"),
        ),
        (Csat.BAD, 40): ("dissatisfied", "unsatisfied", "不满意", "比较不满意", "较不满意", "不太满意", "poor"),
        (Csat.BAD, 20): (
            "very dissatisfied",
            "very unsatisfied",
            "非常不满意",
            "很不满意",
            "十分不满意",
            "very poor",
            "极不满意",
        ),
        (Csat.BAD, 0): (
            *(
                "bad",
                "差评",
                "差",
                "terrible",
                "unhappy",
                "negative",
                "踩",
                "thumbs down",
                "dislike",
                "bad with comment",
            ),
            *("bad without comment", "👎", "😞", "😡", "received bad", "awful"),
        ),
        (Csat.OFFERED, None): (
            *(
                "offered",
                "sent",
                "no answer",
                "unanswered",
                "not answered",
                "not rated",
                "unrated",
                "skipped",
                "-1",
                "-2",
            ),
            *(
                "未评价",
                "未评",
                "未参评",
                "待评价",
                "已邀请",
                "已邀评",
                "已邀请未评价",
                "超时未评价",
                "未回复",
                "无评价",
                "已发送",
                "未作答",
            ),
            *("客户未评价", "用户未评价", "邀请未评", "expired", "no response"),
        ),
        (Csat.NOT_OFFERED, None): (
            *("not offered", "unoffered", "not sent", "not requested", "not invited"),
            *("未邀请", "未邀评", "不邀评", "未发送", "无需评价", "未邀请评价", "不需要评价"),
        ),
    }
)
# Words that mean an end where only three are offered, and one step less where five are.
TWO_ENDED = frozenset(map(plain, ("满意", "satisfied", "不满意", "dissatisfied", "unsatisfied")))
FIVE_ENDED = frozenset(
    map(
        plain,
        (
            "非常满意",
            "很满意",
            "十分满意",
            "非常不满意",
            "很不满意",
            "十分不满意",
            "very satisfied",
            "very dissatisfied",
        ),
    )
)

KINDS_OF_CHANNEL: Mapping[str, tuple[str, ...]] = {
    "phone": (
        *(
            "电话",
            "热线",
            "呼入",
            "呼出",
            "呼叫中心",
            "语音",
            "电话呼入",
            "电话呼出",
            "400电话",
            "电话客服",
            "voice",
            "call",
        ),
        *("phone", "hotline", "telephone", "phone call (inbound)", "phone call (outbound)", "inbound call"),
    ),
    "chat": (
        *(
            "在线",
            "在线客服",
            "网页",
            "网站",
            "在线咨询",
            "在线会话",
            "桌面网站",
            "移动网站",
            "网页客服",
            "网页端",
            "H5",
        ),
        *(
            "chat",
            "live chat",
            "web",
            "online",
            "messaging",
            "native messaging",
            "web widget",
            "web form",
            "pc",
            "forums",
        ),
        *("网页表单", "官网", "web service", "livechat", "web messaging"),
    ),
    "email": ("邮件", "邮箱", "电子邮件", "e-mail", "email", "mail"),
    "wechat": (
        *(
            "微信",
            "公众号",
            "微信公众号",
            "小程序",
            "微信小程序",
            "企业微信",
            "微信客服",
            "企微",
            "wechat",
            "wecom",
            "weixin",
        ),
    ),
    "app": (
        "APP",
        "App内",
        "应用",
        "手机APP",
        "APP客服",
        "mobile app",
        "mobile sdk",
        "mobile",
        "安卓",
        "ios",
        "android",
    ),
    "shop": ("门店", "店铺", "现场", "shop", "store", "淘宝", "天猫", "京东", "拼多多", "抖音", "抖店"),
}
CHANNELS: Mapping[str, object] = lookup({key: (key, *words) for key, words in KINDS_OF_CHANNEL.items()})
LOCALES: Mapping[str, object] = lookup(
    {
        "zh": ("zh", "中文", "汉语", "简体中文", "zh-cn", "zh_cn", "chinese", "zh-hans", "cn"),
        "en": ("en", "英文", "英语", "english", "en-us", "en-gb"),
    }
)

# Units of durations, in seconds.
UNITS: Mapping[str, Fraction] = {
    **dict.fromkeys(("ms", "msec", "msecs", "millis", "millisecond", "milliseconds", "毫秒"), Fraction(1, 1000)),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds", "秒", "秒钟"), Fraction(1)),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes", "分", "分钟", "分鐘"), Fraction(60)),
    **dict.fromkeys(
        ("h", "hr", "hrs", "hour", "hours", "小时", "时", "個小時", "个小时", "小時", "钟头"), Fraction(3600)
    ),
    **dict.fromkeys(("d", "day", "days", "天", "日"), Fraction(86400)),
    **dict.fromkeys(("w", "week", "weeks", "周", "星期"), Fraction(604800)),
}
HALF = "半"
HALF_OF = r"半(?=个?小时|小時|天|分钟|日)"
DAYS_BEFORE_CLOCK = r"(?:days?|d|天|日)"
HOURS_BEHIND_CLOCK = r"(?:hrs?|hours?|小时|h)"
BETWEEN_PARTS = r"[\s,，、;]*(?:and|零|又)?[\s,]*"
COUNTED = r"(?:个|次|单|条|元|件|人|分|篇|小时|¥)"
TOTAL_ENDS = "行栏項项数"
# What Chinese times are written with, as the marks that others use.
CLOCK_MARKS = {
    "年": "-",
    "月": "-",
    "日": " ",
    "号": " ",
    "時": ":",
    "时": ":",
    "点": ":",
    "分": ":",
    "秒": " ",
    "上午": " am ",
    "早上": " am ",
    "凌晨": " am ",
    "下午": " pm ",
    "晚上": " pm ",
    "中午": " pm ",
}
WEEKDAYS = r"\(?(?:周|星期|礼拜)[一二三四五六日天]\)?|\b(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\b[.,]?"
STARS = "★"
POINT_MARKS = r"(?:分|颗?星|星级|点|stars?|points?|pts|★)"
UNIT_IN_HEADING = (
    (r"(?:毫秒|\(ms\)|milliseconds?|_ms$|\bms\b|in ms)", "ms"),
    (r"(?:秒|\(s\)|\bsec(?:ond)?s?\b|_sec$|_seconds$|_s$)", "s"),
    (r"(?:分钟|\(分\)|\bmin(?:ute)?s?\b|_minutes?$|_mins?$|\(m\))", "min"),
    (r"(?:小时|\(时\)|\bhours?\b|\bhrs?\b|\(h\)|_hours?$)", "h"),
    (r"(?:\(天\)|（天）|\bdays?\b|\(d\)|_days?$|天数)", "d"),
)
SCALE_IN_HEADING = (
    (r"(?:百分制|100\s*分|1-100|0-100|/\s*100)", "hundred"),
    (r"(?:十分制|10\s*分|1-10|0-10|/\s*10|ten[- ]point|out of 10|满分\s*10)", "ten"),
    (r"(?:五分制|5\s*分|1-5|0-5|/\s*5|five|out of 5|星级|星|star|满分\s*5)", "five"),
)
