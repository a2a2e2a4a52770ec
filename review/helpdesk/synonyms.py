"""How ticket systems and people head the columns of their exports, in either language: data to be read, never shown.

`COMMON` holds for every system; what a system of its own heads differently stands in `OWN` and goes before it. An
empty field means: this column is known, and it is none of ours. Units and scales behind a heading, `(秒)`, ` in
minutes`, need no entry.
"""

from collections.abc import Mapping

from review.domain.records import TicketSystem
from review.helpdesk.value_synonyms import words

COMMON: Mapping[str, tuple[str, ...]] = {
    "reference": words(
        "工单号 | 工单编号 | 工单ID | 工单流水号 | 工单序号 | 单号 | 流水号 | 流水编号 | 会话ID | 会话编号 | "
        "会话号 | 服务单号 | 服务单编号 | 任务编号 | 数据ID | 编号 | 工单 | 单据编号 | 问题编号 | 咨询编号 | "
        "案例编号 | case id | ID | Ticket | Ticket number | Ticket no | Ticket no. | Ticket ID | Ticket # | "
        "Reference | Case number | Ticket reference | ticketNumber | ticket code | conversation id | session id | "
        "# | 受理编号 | 受理单号 | request id"
    ),
    "agent": words(
        "客服 | 客服姓名 | 客服名称 | 处理人 | 处理客服 | 处理人姓名 | 受理人 | 受理客服 | 受理人姓名 | 负责人 | "
        "经办人 | 坐席 | 坐席姓名 | 座席 | 座席姓名 | 接待客服 | 接待人员 | 接待人 | 客服人员 | 服务人员 | 跟进人 | "
        "执行人 | 处理人员 | 受理人员 | 办理人 | 办理人员 | "
        "承办人 | 经办人员 | 跟进人员 | 值班客服 | "
        "员工 | 员工姓名 | 责任客服 | 当前处理人 | 最后处理人 | 解决人 | 技术员 | 姓名 | 被考核人 | "
        "Agent | Agent name | Assignee | Assignee name | Ticket owner | Owner | Assigned to | Assigned agent | "
        "Handled by | Employee | Employee name | Representative | staff | staff name | 处理坐席 | 工单处理人 | "
        "受理坐席 | 昵称 | 客服昵称 | 工程师 | servicer | name"
    ),
    "agents": words(
        "处理人列表 | 参与人 | 协作人 | 参与客服 | 全部处理人 | 经手人 | 所有处理人 | agents | agentsHandled | "
        "agents handled"
    ),
    "agent_email": words(
        "客服邮箱 | 处理人邮箱 | 坐席邮箱 | 员工邮箱 | 受理人邮箱 | 负责人邮箱 | Agent email | Agent e-mail | "
        "Assignee email | Owner email | Ticket owner email | Employee email | assignee.email"
    ),
    "agent_no": words(
        "客服工号 | 工号 | 员工工号 | 处理人工号 | 坐席工号 | 座席工号 | 受理人工号 | 员工编号 | 客服编号 | "
        "客服ID | 坐席ID | 坐席号 | 客服账号 | 客服帐号 | 坐席账号 | 处理人账号 | Employee number | Employee no | "
        "Employee no. | Employee ID | Agent ID | Agent number | Assignee ID | Staff ID | servicer_userid | userid | "
        "user id | 成员ID | 接待人员ID | 处理人ID"
    ),
    "status": words(
        "状态 | 工单状态 | 处理状态 | 当前状态 | 流程状态 | 会话状态 | Status | Ticket status | State | Case status | "
        "服务状态 | 单据状态 | 解决状态 | 是否解决 | 是否已解决"
    ),
    "opened_at": words(
        "创建时间 | 创建日期 | 提交时间 | 提交日期 | 受理时间 | 发起时间 | 开始时间 | 建单时间 | 工单创建时间 | "
        "会话开始时间 | 接入时间 | 登记时间 | 报修时间 | 来电时间 | 提单时间 | 反馈时间 | Created at | Created | "
        "Created time | Created on | Creation date | Opened at | Opened | Open date | Start time | Submitted at | "
        "Date created | Request date | 申请时间 | 日期 | Date"
    ),
    "closed_at": words(
        "关闭时间 | 关闭日期 | 完成时间 | 完成日期 | 解决时间 | 解决日期 | 结束时间 | 结单时间 | 办结时间 | "
        "完结时间 | 工单关闭时间 | 工单完成时间 | 实际完成时间 | 会话结束时间 | 处理完成时间 | 工单解决时间 | "
        "Closed at | Closed | Closed on | Closed time | Solved at | Solved | Resolved at | Resolved | "
        "Ticket closed time | Completed at | Resolved time | Resolution date | Close date | Date closed | "
        "End time | 解决完成时间 | 归档时间"
    ),
    "updated_at": words(
        "更新时间 | 最后更新时间 | 修改时间 | 最近更新时间 | 最后修改时间 | Updated at | Updated | Modified time | "
        "Last modified | Last updated | modified at | 最近修改时间"
    ),
    "first_response_at": words(
        "首次响应时刻 | 首次回复时刻 | 首次响应日期 | 首次回复于 | First response at | First reply at | "
        "First responded at | 首次受理时间 | 领取时间"
    ),
    "first_response": words(
        "首次响应时长 | 首次响应时间 | 首次响应 | 首响时长 | 首响时间 | 首次回复时长 | 首次回复时间 | 首次回复 | "
        "首次应答时长 | 响应时长 | 响应时间 | 首次响应耗时 | 首次响应用时 | 首次人工响应时长 | 首次应答时间 | "
        "First response time | First reply time | First response | First reply | Response time | "
        "Time to first response | FRT | 首次响应速度 | 首响 | 受理时长 | 响应用时"
    ),
    "first_response_business": words(
        "首次响应时长(工作时间) | 工作时间首次响应时长 | 首次响应工作时长 | 首次响应时间(工作时间) | "
        "First reply time in minutes within business hours | First response time in business hours | "
        "First reply time within business hours | first reply time (business hours) | "
        "first response time (business hours)"
    ),
    "resolution": words(
        "解决时长 | 处理时长 | 解决耗时 | 处理耗时 | 完成时长 | 办结时长 | 解决用时 | 处理用时 | 工单时长 | "
        "工单处理时长 | 工单解决时长 | 总时长 | 总耗时 | 关闭时长 | 完结时长 | 处理时间 | 工单耗时 | "
        "Resolution time | Full resolution time | Time to resolution | Time to resolve | Handle time | "
        "Handling time | TTR | duration | 会话时长 | Resolution | 结单时长"
    ),
    "first_resolution": words("First resolution time | 首次解决时长"),
    "first_resolution_business": words(
        "First resolution time in minutes within business hours | First resolution time in business hours"
    ),
    "resolution_business": words(
        "解决时长(工作时间) | 工作时间解决时长 | 处理时长(工作时间) | 解决工作时长 | "
        "Full resolution time in minutes within business hours | Resolution time in business hours | "
        "Full resolution time within business hours | resolution time (business hours) | "
        "full resolution time (business hours)"
    ),
    "customer_wait": words(
        "客户等待时长 | 等待时长 | 客户等待时间 | 排队时长 | 用户等待时长 | 等待时间 | 排队等待时长 | "
        "Requester wait time | Customer wait time | Wait time | Queue time | Waiting time"
    ),
    "customer_wait_business": words(
        "Requester wait time in minutes within business hours | Requester wait time within business hours | "
        "客户等待时长(工作时间) | requester wait time (business hours) | customer wait time in business hours"
    ),
    "handling": words(
        "实际处理时长 | 净处理时长 | 工时 | 实际工时 | Total time spent | Time spent | Time tracked | 处理净时长"
    ),
    "reopens": words(
        "重开次数 | 重新打开次数 | 重启次数 | 重开 | 激活次数 | Reopens | Number of reopen | Number of reopens | "
        "Reopen count | reopenCount"
    ),
    "replies": words(
        "回复次数 | 客服回复次数 | 回复数 | 客服回复数 | 客服消息数 | 沟通次数 | Replies | Number of responses | "
        "Responses | Reply count | Number of replies | responseCount | Agent replies"
    ),
    "reassigns": words(
        "转派次数 | 转单次数 | 流转次数 | 转交次数 | 转接次数 | Number of reassign | Reassigns | reassignCount | "
        "Number of reassignments"
    ),
    "assignee_stations": words("Assignee stations"),
    "difficulty": words(
        "难度系数 | 难度 | 难度权重 | 复杂度 | 复杂度系数 | 工单难度 | Difficulty | Complexity | Weight | 难度分"
    ),
    "complaint": words(
        "是否投诉 | 投诉 | 投诉标记 | 是否为投诉 | 有无投诉 | 投诉工单 | Is complaint | Complaint | Complained | "
        "complaint flag | 是否有投诉 | 客户投诉 | 投诉情况"
    ),
    "kind": words(
        "类型 | 工单类型 | 问题类型 | 业务类型 | 服务类型 | 分类 | 工单分类 | 问题分类 | 咨询类型 | 诉求类型 | "
        "一级分类 | 会话分类 | Type | Ticket type | Category | Classification | Issue type | Case type | "
        "Problem type | 工单类别 | 业务分类 | 问题类别"
    ),
    "tags": words("标签 | 工单标签 | 会话标签 | 标记 | Tags | Labels | Tag | 关键词"),
    "channel": words(
        "渠道 | 来源渠道 | 来源 | 工单来源 | 受理渠道 | 接入渠道 | 服务渠道 | 会话来源 | Channel | Via | Source | "
        "Origin | 咨询渠道 | 渠道来源"
    ),
    "subject": words("主题 | 标题 | 工单标题 | 工单主题 | 问题标题 | Subject | Title | Summary | 问题描述 | 咨询内容"),
    "csat": words(
        "满意度 | 满意度评价 | 客户满意度 | 评价 | 评价结果 | 满意度结果 | 客户评价 | 用户评价 | 满意度评分 | "
        "满意情况 | 满意度情况 | 客户满意情况 | 满意度等级 | 满意级别 | "
        "评分 | 星级 | 评价星级 | 满意度星级 | 服务评价 | 服务评分 | 客户评分 | 满意度得分 | 评价等级 | 满意程度 | "
        "评价分数 | 是否满意 | 会话评价 | 满意度打分 | 用户满意度 | Satisfaction score | Satisfaction | "
        "Satisfaction rating | CSAT | CSAT score | Happiness rating | Rating | Customer satisfaction | "
        "Customer rating | Survey score | Score | Stars | CSAT rating | Happiness | Customer happiness"
    ),
    "csat_comment": words(
        "评价内容 | 评价备注 | 客户评语 | 评语 | 满意度备注 | 评价留言 | 客户反馈 | 评价说明 | 留言 | "
        "Satisfaction comment | Rating comment | CSAT comment | Survey comment | Customer feedback | "
        "Customer comment | Comment | 评价详情 | 反馈内容"
    ),
    "csat_at": words("评价时间 | 评价日期 | Rated at | Rating time | Survey answered at | 满意度评价时间"),
    "customer_no": words(
        "客户编号 | 客户ID | 客户号 | 用户ID | 会员编号 | Requester id | Customer ID | Customer number | "
        "Contact ID | User ID of requester | 客户代码 | 访客ID | 会员ID | 联系人ID"
    ),
    "customer": words(
        "客户 | 客户姓名 | 客户名称 | 联系人 | 联系人姓名 | 用户姓名 | 用户 | 访客 | 访客姓名 | 提单人 | 发起人 | "
        "提交人 | Requester | Requester name | Customer | Customer name | Contact | Contact name | 访客昵称 | "
        "来电人 | 报修人 | 申请人"
    ),
    "customer_email": words(
        "客户邮箱 | 邮箱 | 联系人邮箱 | 用户邮箱 | 电子邮箱 | Requester email | Customer email | Contact email | "
        "Email | E-mail"
    ),
    "locale": words("语言 | 客户语言 | Language | Locale | Requester locale"),
    "is_spam": words("isSpam | Is spam | 垃圾工单 | 是否垃圾"),
    "is_deleted": words("isTrashed | Is deleted | isDeleted | 是否删除 | 已删除 | Deleted | deleted at | is trashed"),
    "is_archived": words("isArchived | Is archived | 是否归档"),
    "is_merged": words("Is merged | isMerged | 是否合并 | merged into | 合并至"),
    "customer_opened": words("是否客户发起 | 客户发起 | customer opened | inbound"),
    "agent_answered": words("客服是否回复 | 是否已回复 | agent answered"),
    "good_count": words("goodCount | good count"),
    "ok_count": words("okCount | ok count | okay count"),
    "bad_count": words("badCount | bad count"),
    "": words(
        "Summation column | Submitter | Requester domain | Requester external id | Priority | Organization | "
        "Due date | 备注 | Assigned at | Initially assigned at | Group | Group stations | 优先级 | 紧急程度 | "
        "手机 | 手机号 | 电话 | 联系电话 | 序号 | No. | 公司 | 部门 | customerResponseTime | "
        "Total response time in business hours | Agent wait time | On hold time | "
        "On hold time in minutes within business hours | Agent wait time in minutes within business hours"
    ),
}

OWN: Mapping[TicketSystem, Mapping[str, tuple[str, ...]]] = {
    TicketSystem.ZENDESK: {
        "reference": words("Id | ticket_id"),
        "first_response": words("First reply time in minutes"),
        "first_resolution": words("First resolution time in minutes"),
        "resolution": words("Full resolution time in minutes"),
        "customer_wait": words("Requester wait time in minutes"),
        "resolution_hours": words("Resolution time"),
        "customer_no": words("Requester id"),
        "kind": words("Ticket type"),
    },
    TicketSystem.ZOHO: {
        "reference": words("ID | Ticket Id | ticketId | TicketExtId | caseId"),
        "agent": words("Ticket Owner | assignee"),
        "agent_no": words("assigneeId | Ticket Owner Id | AgentExtId | Ticket Owner ID"),
        "csat": words("Happiness Rating | Rating"),
        "customer_no": words("contactId | Contact Id | ContactExtId"),
        "kind": words("classification | Classifications | category"),
        "first_response": words("firstResponseTime"),
        "resolution": words("resolutionTime"),
        "opened_at": words("createdTime"),
        "closed_at": words("closedTime"),
        "updated_at": words("modifiedTime"),
        "": words(
            "ticketNumber | Ticket Number | resolution | Team Id | Is Overdue | customerResponseTime | "
            "Number of Threads"
        ),
    },
    TicketSystem.SOBOT: {
        "reference": words("工单编号 | ticketCode | ticket_code | 会话ID | cid"),
        "agent": words("受理客服 | 处理客服 | dealAgentName | deal_agent_name | staffName | staff_name"),
        "agent_no": words("受理客服ID | dealAgentId | 客服工号"),
        "status": words("ticketStatus | ticket_status"),
        "opened_at": words("createTime | create_time"),
        "closed_at": words("ticketCloseTime | 结束时间"),
        "csat": words("满意度评价 | ticketScore | score"),
    },
    TicketSystem.JIANDAOYUN: {
        "reference": words("工单编号 | 流水号 | _id | data_id"),
        "opened_at": words("提交时间 | createTime"),
        "updated_at": words("更新时间 | updateTime"),
    },
    TicketSystem.KINGDEE: {
        "reference": words("单据编号 | 服务单号 | billno"),
        "agent": words("服务人员 | 处理人"),
        "status": words("单据状态"),
    },
    TicketSystem.QIDIAN: {
        "reference": words("会话ID | 会话编号 | 工单ID"),
        "agent": words("接待工号 | 客服名称 | 接待客服"),
        "agent_no": words("客服工号 | 主号"),
    },
    TicketSystem.YOZO: {
        "reference": words("工单编号 | 工单号"),
        "agent": words("处理人 | 工程师"),
    },
    TicketSystem.WECOM: {
        "agent_no": words("servicer_userid | userid | 接待人员账号"),
        "agent": words("接待人员 | 客服 | 成员 | 姓名 | servicer"),
    },
}
