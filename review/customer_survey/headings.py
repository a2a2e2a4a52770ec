"""How ticket systems and people head the columns of their lists, and write channels and languages: words to be read."""

from collections.abc import Mapping

NAMES: Mapping[str, tuple[str, ...]] = {
    "reference": ("工单号", "工单编号", "工单ID", "会话ID", "Ticket", "Ticket number", "Ticket ID", "Reference"),
    "agent": ("客服工号", "工号", "客服邮箱", "客服", "处理人工号", "Agent", "Employee number", "Agent e-mail"),
    "closed_on": ("关闭日期", "关闭时间", "完成时间", "解决时间", "Closed on", "Closed at", "Closed", "Solved at"),
    "customer_no": ("客户编号", "客户ID", "Customer number", "Customer ID", "External ID"),
    "name": ("客户姓名", "客户名称", "客户", "姓名", "Customer name", "Customer", "Requester", "Name"),
    "email": ("邮箱", "客户邮箱", "电子邮件", "E-mail", "Email", "Customer e-mail", "Requester email"),
    "locale": ("语言", "Language", "Locale"),
    "channel": ("渠道", "来源渠道", "Channel", "Via"),
    "kind": ("类型", "工单类型", "问题类型", "Type", "Ticket type", "Category"),
    "subject": ("主题", "标题", "Subject", "Title"),
}
# Kept by one word, so that figures by channel and the letters' words hold in both languages; others stay as written.
CHANNELS = {
    "phone": ("电话", "热线", "呼入", "呼叫中心", "Phone", "Voice", "Call", "Hotline"),
    "chat": ("在线", "在线客服", "网页", "网站", "Chat", "Live chat", "Web", "Online"),
    "email": ("邮件", "邮箱", "E-mail", "Mail"),
    "wechat": ("微信", "公众号", "小程序", "企业微信", "WeChat", "WeCom"),
    "app": ("APP", "App内", "应用", "Mobile app"),
    "shop": ("门店", "店铺", "现场", "Shop", "Store"),
}
LOCALES = {"zh": ("中文", "简体中文", "zh-CN", "zh_CN", "Chinese"), "en": ("英文", "英语", "en-US", "en-GB", "English")}


def names_in(locale: str) -> dict[str, list[str]]:
    """The headings of each column, those in the reader's language first."""
    return {key: sorted(names, key=lambda name: name.isascii() != (locale == "en")) for key, names in NAMES.items()}
