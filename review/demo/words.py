"""What people at 星河客服中心 write: statements, summaries, comments, customers' words. Chosen by how well things went."""

import random
from collections.abc import Mapping

STATEMENTS: Mapping[str, tuple[Mapping[str, str], ...]] = {
    "good": (
        {
            "overview": "本期共处理工单936张，比上期多84张；大促后一周每天平均42张，没有积压过夜。",
            "figures": "满意度96.1%（上期94.8%），首次响应38秒（上期45秒），一次解决率83%（上期79%），投诉1起（上期2起）。",
            "problems": "退换货跨仓的单子仍要转两次，原因是仓库排班表没有同步到知识库。",
            "measures": "和仓储同事约定每天九点更新排班，并写了《跨仓退换》文章，转单从每天9次降到3次。",
            "plan": "下期把跨仓一次解决率提到90%，每月带一位新同事处理复杂退换单。",
        },
        {
            "overview": "负责在线渠道晚班，处理会话1,204个，主动回访未解决客户61位。",
            "figures": "满意度95.4%，中差评率1.2%（上期1.9%），平均处理时长6分20秒。",
            "problems": "晚班遇到发票问题时财务已下班，客户要等到第二天。",
            "measures": "整理了发票常见问题的自助指引，当晚可解决的比例从四成提高到七成。",
            "plan": "和财务约定晚班值守电话，把剩下三成也在当晚答复。",
        },
    ),
    "fair": (
        {
            "overview": "本期处理工单802张，月底病假三天，由同组同事代班。",
            "figures": "满意度91.3%（上期92.0%），首次响应61秒（上期58秒），投诉3起（上期2起）。",
            "problems": "两起投诉都和新退款流程有关，我对流程的第三步理解有误，给客户说错了到账时间。",
            "measures": "重新参加了流程培训，把到账时间做成一张对照卡放在桌上，之后没有再错。",
            "plan": "下期投诉控制在1起以内；每周和主管一起听两通录音。",
        },
        {
            "overview": "从售前转到售后第二个季度，处理工单688张，其中技术类占三成。",
            "figures": "满意度90.2%，一次解决率71%，平均处理时长9分10秒。",
            "problems": "技术类问题我常要请教同事，处理时间偏长。",
            "measures": "整理了二十个高频故障的排查步骤，遇到同类问题不再转单。",
            "plan": "把技术类一次解决率提高到80%，参加产品部每月的答疑。",
        },
    ),
}

SUMMARIES: Mapping[str, tuple[str, ...]] = {
    "excellent": (
        "大促后那一周顶住了压力，复杂退换单处理得又快又稳，知识库文章帮了全组的忙。客户和同事都愿意找你。下期希望你把经验讲给新同事，每月至少一次。",
        "全期没有一起有责投诉，跨部门的单子件件有回音。你主动发现并推动解决了发票延迟的问题，这是团队里最有价值的一件事。",
    ),
    "good": (
        "多数问题能独立解决，响应及时，客户评价稳定。遇到情绪激动的客户时语速会变快，下期我们一起听几通录音，练习先确认感受再给方案。",
        "工作踏实，交接清楚，同事反馈配合顺畅。下期希望你更早地把别人的意见用起来，尤其是新流程上线的头两周。",
    ),
    "fair": (
        "基本完成了要求，但新流程上的两次失误本可以避免。请按我们谈好的计划参加复训，之后每周一起看两单。",
        "业务量达标，质量起伏较大。下期先把常见问题的准确率做上去，再追求速度。",
    ),
    "poor": ("这一期问题集中在业务准确性和及时跟进。我们已经约好一对一辅导，每周三复盘，先把退款和换货两类做扎实。",),
}

PRAISE = (
    "大促期间三天处理了四百多单，没有一单超时；遇到跨仓退换能自己协调到底。",
    "主动整理了发票问题的自助指引，全组晚班都在用，客户当晚就能得到答复。",
    "面对连续投诉的客户，先道歉、再确认、当天给方案，客户后来写了表扬信。",
)
CONCERN = (
    "新退款流程上线后两次给客户说错到账时间，复训后仍有一次。",
    "超过约定时间未回访的工单有七张，客户再次来电才处理。",
)
CUSTOMERS: Mapping[str, tuple[str, ...]] = {
    "good": (
        "退换两次都是同一个人跟进，不用再讲一遍，省心。",
        "回复很快，问题一次就解决了。",
        "发错货的事当天就给了方案。",
        "说得清楚，态度也好。",
        "晚上十点还有人回复，很意外。",
        "",
        "",
        "",
    ),
    "middling": ("解释得明白，就是周末回得慢了一点。", "问题解决了，等得有点久。", "", "", ""),
    "bad": ("同一个问题说了三遍。", "答复前后不一致，最后还是没解决。", "等了两天没有回音。", ""),
}


def statement(dice: random.Random, skill: float) -> Mapping[str, str]:
    return dice.choice(STATEMENTS["good" if skill > 0.55 else "fair"])


def summary(dice: random.Random, grade: str) -> str:
    return dice.choice(SUMMARIES[grade])


def rating_comment(dice: random.Random, is_praise: bool) -> str:
    return dice.choice(PRAISE if is_praise else CONCERN)


def customer_comment(dice: random.Random, stars: int) -> str:
    return dice.choice(CUSTOMERS["good" if stars >= 4 else "middling" if stars == 3 else "bad"])
