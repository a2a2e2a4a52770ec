"""How sheets that tell figures of a person as a whole head their columns and name their indicators: data to be read."""

from collections.abc import Mapping

from review.helpdesk.value_synonyms import words

# What a column of a sheet with one row a person holds: an indicator, or a count that an indicator rests on.
FIGURES: Mapping[str, tuple[str, ...]] = {
    "volume": words(
        "工单量 | 工单数 | 工单总数 | 处理量 | 处理工单数 | 处理工单量 | 会话量 | 会话数 | 会话总数 | 接待量 | "
        "接待会话数 | 接待人次 | 咨询量 | 受理量 | 受理工单数 | 解决工单数 | 完成工单数 | session_cnt | sessions | "
        "tickets | ticket volume | volume | tickets solved | solved tickets | tickets handled | 接待总数 | 服务量 | "
        "工作量"
    ),
    "first_response": words(
        "平均首次响应时长 | 平均首次响应时间 | 平均首响时长 | 首次响应时长 | 首次响应时间 | 平均响应时长 | "
        "平均响应时间 | 首响时长 | 平均首次回复时长 | 首次平均回复时长 | 首次回复平均时长 | 平均首响 | "
        "首次回复时长 | 响应时间 | 响应时长 | first_reply_average_sec | first reply average | "
        "average first response time | avg first response | first response time | first response | "
        "average first reply time | 人工首次平均响应时长"
    ),
    "customer_wait": words(
        "平均等待时长 | 客户等待时长 | 平均客户等待时长 | 平均排队时长 | customer wait time | average wait time | "
        "customer wait"
    ),
    "resolution_time": words(
        "平均解决时长 | 平均处理时长 | 解决时长 | 处理时长 | 平均解决时间 | 平均处理时间 | 平均会话时长 | "
        "average resolution time | resolution time | avg resolution time | average handling time | aht"
    ),
    "first_contact_resolution": words(
        "一次解决率 | 首次解决率 | 一次性解决率 | 首次联系解决率 | first contact resolution | fcr | 一次性解决率(fcr)"
    ),
    "resolution_rate": words(
        "解决率 | 工单解决率 | 问题解决率 | 完成率 | 结单率 | resolution rate | solve rate | 工单完成率"
    ),
    "reopen_rate": words("重开率 | 工单重开率 | reopen rate"),
    "complaint_rate": words("投诉率 | 客诉率 | complaint rate | 投诉比例"),
    "bad_rate": words("中差评率 | 差评率 | 不满意率 | bad rate | dissatisfaction rate | 中差评占比"),
    "satisfaction": words(
        "满意度 | 满意率 | 客户满意度 | 好评率 | 满意度评分 | 评价满意率 | satisfied_rate | 满意占比 | "
        "satisfaction | csat | satisfaction rate | good rate | customer satisfaction | satisfaction score | "
        "满意评价占比"
    ),
    "csat_points": words(
        "满意度均分 | 平均满意度得分 | 平均评分 | 满意度平均分 | csat points | average rating | average csat | 评价均分"
    ),
    "follow_up_rate": words("回访率 | 回访完成率 | follow-up rate | follow up rate | callback rate"),
    "error_rate": words("差错率 | 错误率 | 失误率 | error rate"),
    "compliance": words(
        "规范性 | 质检得分 | 质检分 | 质检平均分 | 规范得分 | 服务规范 | 质检成绩 | compliance | qa score | "
        "quality score | iqs"
    ),
    "proactive": words(
        "主动服务 | 主动服务次数 | 主动外呼次数 | 主动关怀次数 | proactive | proactive service | proactive contacts"
    ),
    "sales": words("销售额 | 销售金额 | 成交金额 | 销售业绩 | sales | revenue"),
    "conversion": words("转化率 | 询单转化率 | 成交率 | conversion | conversion rate"),
    "repeat_purchase": words("复购率 | 回购率 | repeat purchase | repeat purchase rate"),
    "knowledge": words(
        "知识库贡献 | 知识贡献 | 知识库贡献数 | 知识条目 | 知识库文章数 | knowledge | knowledge contributions | "
        "articles"
    ),
    "training": words(
        "培训 | 培训次数 | 参加培训 | 参加培训次数 | 培训学时 | training | trainings attended | training attended"
    ),
    "answers": words(
        "评价数 | 参评数 | 参评量 | 评价量 | 有效评价数 | 评价人数 | 参评人数 | ratings | answers | rated | "
        "number of ratings | surveys answered"
    ),
    "asked": words(
        "邀评数 | 邀请评价数 | 邀评量 | 发送评价数 | satisfaction_investgate_cnt | satisfaction_investigate_cnt | "
        "surveys sent | 评价邀请数"
    ),
    "participation": words(
        "参评率 | 评价率 | 参与率 | satisfaction_participation_rate | participation rate | "
        "response rate of surveys | 满意度参与率"
    ),
    "good_count": words("好评数 | 满意数 | 满意评价数 | 好评量 | good ratings | good | satisfied count"),
    "neutral_count": words("中评数 | 一般数 | 中评量 | neutral ratings | neutral | middling count"),
    "bad_count": words("差评数 | 不满意数 | 差评量 | bad ratings | bad | dissatisfied count"),
    "neutral_rate": words("一般率 | 中评率 | middling_rate | 一般占比 | neutral rate | 一般评价占比"),
    "dissatisfied_rate": words("dissatisfied_rate | 不满意占比 | 不满意评价占比"),
    "complaint_count": words("投诉数 | 投诉量 | 投诉次数 | 客诉量 | complaints | complaint count"),
    "solved_count": words("已解决数 | 解决数 | 已解决工单数 | solved | solved count"),
    "error_count": words("差错数 | 错误数 | errors"),
    "follow_up_count": words("回访数 | 回访次数 | follow-ups"),
    "": words(
        "customer_cnt | customer_msg_cnt | reply_rate | 客户数量 | 接待客户数 | 客户消息数 | 回复率 | 聊天回复率 | "
        "咨询客户数 | 接收消息数"
    ),
}
# How WeCom's console heads what its interface names in English; it says `_investgate_`, and so do we.
WECOM: Mapping[str, tuple[str, ...]] = {
    "volume": words("session_cnt | 咨询会话数 | 会话数 | 咨询会话数量 | 接待会话数 | 接待会话数量"),
    "first_response": words(
        "first_reply_average_sec | 平均首次响应时长 | 首次平均响应时长 | 平均首次回复时长 | 平均首次回复时间 | "
        "平均首次响应时间"
    ),
    "asked": words("satisfaction_investgate_cnt | 评价邀请数 | 邀评数 | 满意度调查数 | 已邀请评价数 | 邀请评价数"),
    "participation": words("satisfaction_participation_rate | 参评率 | 评价参与率 | 满意度参评率 | 参与率"),
    "satisfaction": words("satisfied_rate | 满意率 | “满意”评价占比 | 满意占比 | 满意评价占比"),
    "neutral_rate": words("middling_rate | 一般率 | “一般”评价占比 | 一般占比 | 一般评价占比"),
    "dissatisfied_rate": words("dissatisfied_rate | 不满意率 | “不满意”评价占比 | 不满意占比 | 不满意评价占比"),
    "day": words("stat_time | 日期 | 统计日期 | 统计时间 | 时间"),
}
# Columns beside the figures.
BESIDE: Mapping[str, tuple[str, ...]] = {
    "first_day": words("开始日期 | 起始日期 | 周期开始 | 期初 | from | start date | period start | first day"),
    "last_day": words("结束日期 | 截止日期 | 周期结束 | 期末 | to | until | end date | period end | last day"),
    "day": words("日期 | 统计日期 | stat_time | date | day"),
    "month": words("月份 | 统计月份 | 考核月份 | 周期 | 考核周期 | 统计周期 | month | period"),
    "indicator": words("指标 | 指标名称 | 考核指标 | 考核项 | KPI | indicator | indicator name | metric | measure"),
    "value": words("数值 | 指标值 | 实际值 | 实际达成 | 实际 | 值 | 结果 | value | actual | figure | amount"),
    "count": words("样本量 | 样本数 | 基数 | 分母 | 样本 | count | n | sample size | denominator | over"),
}
MONTH = r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*月?"
SPAN = (
    r"(\d{4}\s*[-/.年]\s*\d{1,2}\s*[-/.月]\s*\d{1,2}\s*日?)(?:\s+\d{1,2}:\d{2}(?::\d{2})?)?"
    r"\s*(?:~|至|到|—|–|-|to|until|—{2})\s*(\d{4}\s*[-/.年]\s*\d{1,2}\s*[-/.月]\s*\d{1,2}\s*日?)"
)
AND = r"\s*[;；,，、/|\n]\s*"
PARTS = r"(.+?)\s*(?:[:：×*=]|\()\s*(\d{1,6})\s*%?\)?"
